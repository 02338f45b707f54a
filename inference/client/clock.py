"""Time as a dependency: whoever makes a client gives it the clock of the process."""

from typing import Protocol


class Clock(Protocol):
    """What the client may know about time."""

    def monotonic(self) -> float:
        """Returns seconds on a clock that never goes back; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Waits for `seconds` on this clock."""
