"""Tests of the suggestion service."""
