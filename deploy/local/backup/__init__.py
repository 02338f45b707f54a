"""Backups of a stack on one machine: databases and objects, and none of the keys that open them.

Root key, epochs and journal are in no backup. Without the first two nothing in it can be opened; the journal is what a
restored database is held against, so it has to be ahead of every backup.
"""
