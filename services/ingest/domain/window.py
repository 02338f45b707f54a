"""Rolling window of capture times that CLOUD_PROCESSING alone opens."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Window:
    """The rolling window: what was taken since `start` belongs to it.

    Attributes:
        start: The window's first moment, less what clocks and time zones may differ by.
        latest: From here on a capture time is nonsense: a clock that was set wrong.
    """

    start: datetime
    latest: datetime

    @classmethod
    def at(cls, now: datetime, length: timedelta, tolerance: timedelta) -> "Window":
        """Return the window at a moment of the server's clock."""
        return cls(now - length - tolerance, now + tolerance)

    def holds(self, capture_time: datetime | None) -> bool:
        """Tells whether a picture taken then belongs to it; an undated one does not, nor one that is still to come."""
        return capture_time is not None and self.start <= capture_time <= self.latest
