"""Errors of provisioning; each says what to do about it."""

from pathlib import Path
from typing import Self


class ProvisionError(Exception):
    """A failure that its reader can act upon.

    Attributes:
        reason: Constant name for scripts.
        field: The setting, file or server that is meant.
    """

    def __init__(self, reason: str, message: str, field: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field

    @classmethod
    def without(cls, name: str, key: str, file: Path | None, variable: str) -> Self:
        """Return the error for a secret that is in no file and no variable."""
        places = f"neither {variable} nor a file {file} is there" if file else f"{variable} is not set"
        remedy = "give it, from the Secret that the service uses"
        return cls("SECRET_MISSING", f"{key} of {name}: {places}: {remedy}", variable)

    @classmethod
    def unreachable(cls, server: str, error: Exception) -> Self:
        """Return the error for a server that does not answer, or not to its administrator."""
        why = " ".join(str(error).split()) or type(error).__name__
        remedy = "look whether it runs, and whether the administrator's credentials are right"
        return cls("SERVER_UNREACHABLE", f"{server}: {why}: {remedy}", server)
