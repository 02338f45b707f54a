"""Looks from inside a pod of a service, as that service: an operator's account needs none of its rights."""
