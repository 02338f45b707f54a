"""Garbage collection of a process that serves: each look at everything stops all calls for as long as it takes."""

import gc

_THRESHOLDS = (2_000, 10, 100)
"""The last has what lived for a while be looked at ten times less often than by default."""


def look_at_less_garbage() -> None:
    """Leave out of every collection what is there now, once a process is put together; look at the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
