"""Tests of `services.cli.consent`."""
