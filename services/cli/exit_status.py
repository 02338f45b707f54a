"""Exit statuses of the command, in one table."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """A status that the command ends with, and what it means."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> ExitStatus:
        """Make a member out of its number and its meaning."""
        status = int.__new__(cls, value)
        status._value_ = value
        status.meaning = meaning
        return status

    DONE = 0, "done (files that `import` refused are named with their reasons, which is an answer as well)"
    FAILED = 1, "not done, or not all of it (one line says why and what to do)"
    USAGE = 2, "wrong use, or a script that left `--yes` out (nothing was done)"
    OUTAGE = (
        3,
        "out of reach for too long (what was done stays; `import` names the files that have no answer: run it again)",
    )
    INTERRUPTED = 130, "ended by Ctrl-C (what was done stays)"
    OUTPUT_CLOSED = 141, "ended because its output was no longer read, as by `head`"


def table() -> str:
    """Return the statuses and their meanings as one paragraph of a help text."""
    return "Exit status: " + "; ".join(f"{status.value} {status.meaning}" for status in ExitStatus) + "."
