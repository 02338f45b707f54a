"""Clients of the services that suggestion calls."""
