"""Tests of the sample roll."""
