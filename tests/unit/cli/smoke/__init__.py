"""Tests of `services.cli.ideas`."""
