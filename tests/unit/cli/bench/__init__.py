"""Tests of `services.cli.bench`."""
