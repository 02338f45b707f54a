"""Measurements of the running stack, each against a limit measured in the same run."""
