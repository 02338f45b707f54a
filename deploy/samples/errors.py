"""Errors while the roll is built; each says what to do."""


class RollError(Exception):
    """The roll cannot be built."""


class PackageUnreadable(RollError):
    """A package is not in the format that is expected of it."""


class SourcesMissing(RollError):
    """Not even the pictures of the installed Python packages are there."""


class TargetInUse(RollError):
    """The folder holds pictures that this program did not put there."""
