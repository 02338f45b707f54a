"""Epoch keys in files, outside the database, and the wrapping of keys."""
