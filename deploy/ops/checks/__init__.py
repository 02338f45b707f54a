"""Checks of a cluster: each says what it looked at, whether that is right, and what to do if not.

A check is a function that takes a `Cluster` and what it looks for, and yields `Check`s; it changes nothing. A new one
goes into the module of its subject, and into what runs them.
"""
