"""Tests of `services.cli.models`."""
