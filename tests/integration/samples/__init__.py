"""Tests of the whole sample roll, as it is made on a machine without apt."""
