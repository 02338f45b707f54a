"""Tests of `services.cli.restyle`."""
