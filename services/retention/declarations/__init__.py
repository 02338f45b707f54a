"""Declarations that ship with a release, and what reads and checks them."""
