"""Notices and the policy that ship with a release: data files, and what reads and checks them."""
