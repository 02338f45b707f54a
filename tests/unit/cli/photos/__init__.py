"""Tests of `services.cli.photos`."""
