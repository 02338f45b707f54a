"""Database connections that work holds: none may be held while another service is waited for.

A pool is small, and a service that hangs would take all of it; so each call and each request to the object store says
so when it finds its own task with a connection in hand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

_log = structlog.stdlib.get_logger()


@dataclass
class _Held:
    outer: "_Held | None"
    is_held: bool = True


_held: ContextVar[_Held | None] = ContextVar("held", default=None)


@contextmanager
def holding() -> Iterator[None]:
    """Note that the block's task holds a connection, and so does what it starts meanwhile."""
    outer = _held.get()
    held = _Held(outer)
    _held.set(held)
    try:
        yield
    finally:
        held.is_held = False
        _held.set(outer)


def is_holding() -> bool:
    """Tells whether the task holds a connection."""
    held = _held.get()
    while held is not None and not held.is_held:
        held = held.outer
    return held is not None


def check_none_is_held(target: str) -> None:
    """Log `connection_held` if the task that turns to `target` holds a connection; a test fails on it."""
    if is_holding():
        _log.error("connection_held", target=target, stack_info=True)
