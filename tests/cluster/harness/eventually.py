"""Waiting for what is to be seen, with patience for a busy machine."""

import time
from collections.abc import Callable

_PAUSE_SECONDS = 1.0


def until(holds: Callable[[], object], what: str, *, seconds: float = 300) -> float:
    """Wait until it holds; return how long that took.

    Raises:
        AssertionError: it did not in time.
    """
    began = time.monotonic()
    while not holds():
        taken = time.monotonic() - began
        assert taken < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(_PAUSE_SECONDS)
    return time.monotonic() - began
