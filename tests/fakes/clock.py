"""A clock that a test moves by hand."""

import asyncio
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until `advance`; sleepers wake when their time has come."""

    def __init__(self, now: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        self._start = now
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = (self._elapsed + seconds, asyncio.Event())
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    async def advance(self, by: timedelta | float) -> None:
        """Move time on, and let those who slept until now run."""
        self._elapsed += by.total_seconds() if isinstance(by, timedelta) else by
        due = [woken for at, woken in self._sleepers if at <= self._elapsed]
        self._sleepers = [(at, woken) for at, woken in self._sleepers if at > self._elapsed]
        for woken in due:
            woken.set()
        for _ in range(5):
            await asyncio.sleep(0)

    def set(self, now: datetime) -> None:
        """Put the wall clock and the monotonic clock to `now`; sleepers are not woken."""
        self._elapsed = (now - self._start).total_seconds()
