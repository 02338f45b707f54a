"""Certificates of a process: read again and again, so that new ones are in use without a restart."""
