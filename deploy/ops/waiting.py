"""Waiting for a cluster, with a bound."""

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from deploy.ops.errors import OpsError

ResultT = TypeVar("ResultT")

_EVERY_SECONDS = 2.0


class Clock(Protocol):
    """What is waited by."""

    def monotonic(self) -> float:
        """Return seconds since some time."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class MachineClock:
    """The clock of this machine."""

    def monotonic(self) -> float:
        """Return seconds since some time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


def wait_for(what: str, look: Callable[[], ResultT | None], clock: Clock, seconds: float) -> ResultT:
    """Return what a look returns as soon as it is something.

    Raises:
        OpsError: TIMED_OUT.
    """
    end = clock.monotonic() + seconds
    while (found := look()) is None:
        if clock.monotonic() >= end:
            raise OpsError("TIMED_OUT", f"{what} did not come within {seconds:.0f} s")
        clock.sleep(_EVERY_SECONDS)
    return found
