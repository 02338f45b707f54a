"""Tests of `services.cli.account`."""
