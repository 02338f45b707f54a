"""Smoke test of a deployment: one person's way through all services, by their public addresses alone."""
