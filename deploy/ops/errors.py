"""Errors of the commands: a reason for scripts, a message for people, and an exit status."""

from collections.abc import Mapping


class OpsError(Exception):
    """A command could not do what it was asked."""

    status = 1

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def row(self) -> Mapping[str, object]:
        """As a row of JSON."""
        return {"error": {"reason": self.reason, "message": str(self)}}

    @property
    def line(self) -> str:
        """As a line of text."""
        return f"pellicule-ops: {self.reason}: {self}"


class UsageWrong(OpsError):
    """A command was asked for what makes no sense; nothing was done."""

    status = 2


class OutOfReach(OpsError):
    """The cluster does not answer, or does not let this account do it."""

    status = 3
