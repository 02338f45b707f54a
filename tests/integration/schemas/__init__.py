"""Tests of the committed schemas."""
