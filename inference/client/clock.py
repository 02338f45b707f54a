"""Time as a dependency: the maker of a client gives it the clock of the process."""

from typing import Protocol


class Clock(Protocol):
    """What the client may know about time."""

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` on this clock."""
