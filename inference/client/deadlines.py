"""Deadline of the work at hand; set once, around the work, and kept to by every call in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeAlias

TimeLeft: TypeAlias = Callable[[], float | None]
"""Returns the seconds that the work at hand has left; None for no end."""

_END: Final[ContextVar[float | None]] = ContextVar("_END", default=None)


@contextmanager
def deadline_scope(end: float) -> Iterator[None]:
    """Let no call in the block, nor in the tasks begun there, wait beyond a time.

    Args:
        end: On the client's clock; an earlier end that was said before stays.
    """
    token = _END.set(earliest(end, _END.get()))
    try:
        yield
    finally:
        _END.reset(token)


def end_of_work() -> float | None:
    """Return what `deadline_scope` said; None if nothing."""
    return _END.get()


def no_end() -> None:
    """Is the `TimeLeft` of work that takes as long as it takes."""


def earliest(first: float, *others: float | None) -> float:
    """Return the first of several times, of which some may not be."""
    return min([first, *(other for other in others if other is not None)])
