"""Ingest: plans what a phone uploads, receives it, checks it, seals it and keeps it.

Invariants:
    - No byte of a picture reaches a disk before it is sealed under a data key of the purpose that it came in for, and
      no key means no upload: nothing here decides whether something is allowed.
    - What is committed was received whole, has the announced SHA-256 and the structure of a picture within the limits.
    - An upload has one writer at a time; what it committed is never lost, and never sealed twice with other bytes.
    - A column, an object name or a log line tells nothing about a picture but its sealed size.
"""
