"""Retention: keys, clocks and erasure, the ground floor of every promise.

Invariants: what has no key cannot be read, and every key hangs on a purpose key that exists only while a grant lives;
after a destruction has returned, no call that starts later opens what was destroyed; a deadline only moves forward;
a destruction never waits for anything but the database, and never fails because of what else is going on.
"""
