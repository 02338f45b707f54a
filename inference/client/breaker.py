"""Circuit breaker: a failing server is left alone, and one probe finds out whether it has recovered."""

from datetime import timedelta
from enum import StrEnum

from inference.client.clock import Clock


class State(StrEnum):
    """Whether calls may go."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Stops asking a server that fails, for a time that doubles while it goes on failing."""

    def __init__(self, clock: Clock, *, failures: int = 3, first: float = 0.5, longest: float = 5.0) -> None:
        """Close the breaker.

        Args:
            clock: The process's clock.
            failures: In a row, that open it.
            first: Seconds that it stays open the first time.
            longest: Seconds that it stays open at most.
        """
        self._clock = clock
        self._failures = failures
        self._first = first
        self._longest = longest
        self._in_a_row = 0
        self._times_opened = 0
        self._open_until = float("-inf")

    @property
    def state(self) -> State:
        """Closed; open; or half open, when one probe may find out."""
        if self.open_for():
            return State.OPEN
        return State.HALF_OPEN if self._times_opened else State.CLOSED

    def open_for(self) -> timedelta:
        """Return how long it stays open; zero when it is not."""
        return timedelta(seconds=max(0.0, self._open_until - self._clock.monotonic()))

    def succeed(self) -> None:
        """Note a response. One that was under way while the breaker opened does not close it."""
        if not self.open_for():
            self._in_a_row = self._times_opened = 0

    def fail(self) -> None:
        """Note a failure of the server; once it was open, a single one opens it again."""
        self._in_a_row += 1
        if self._in_a_row >= self._failures or self._times_opened:
            self.trip()

    def trip(self) -> None:
        """Open it at once. What was sent before it opened does not keep it open."""
        if self.open_for():
            return
        seconds = min(self._first * 2.0**self._times_opened, self._longest)
        self._open_until = self._clock.monotonic() + seconds
        self._times_opened += 1
        self._in_a_row = 0
