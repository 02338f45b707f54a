"""Allowance of a day: how many rows one person may have a service write, so that the quota is not of bytes alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.chassis.clock import Clock
from services.chassis.errors import LimitReached
from services.chassis.limits.pace import Pace

DAY = timedelta(days=1)
_DAY_SECONDS = DAY.total_seconds()
_REMEMBERED = 10_000


@dataclass(frozen=True)
class DailyLimit:
    """What each person may do within any 24 hours, counted by what is written down of it.

    Attributes:
        what: Is counted, in the plural, such as `decisions`.
        most: Of it.
    """

    what: str
    most: int

    def check(self, newest: Sequence[datetime], now: datetime) -> None:
        """Let one more pass.

        Args:
            newest: When those of the last 24 hours were, newest first; `most` of them suffice.
            now: What time it is.

        Raises:
            LimitReached: there are as many as may be; with the time until there may be more.
        """
        if len(newest) >= self.most:
            left = (newest[self.most - 1] + DAY - now).total_seconds()
            raise LimitReached.of("caller", f"{self.what} a day", self.most, timedelta(seconds=max(1, math.ceil(left))))


class DailyAllowance:
    """What each person may do a day; it comes back steadily, and is counted by each process for itself."""

    def __init__(self, what: str, most: int, clock: Clock) -> None:
        """Begin.

        Args:
            what: Is counted, in the plural, such as `uploads`.
            most: Of it a day, which may be used at once.
            clock: Says what time it is.
        """
        self._what = what
        self._most = most
        self._clock = clock
        self._paces: dict[str, Pace] = {}

    def spend(self, subject: str) -> None:
        """Count one more of a person.

        Raises:
            LimitReached: the person has used the day up; with the time until there is more.
        """
        now = self._clock.monotonic()
        pace = self._of(subject, now)
        if delay := pace.delay(now):
            retry_after = timedelta(seconds=math.ceil(delay))
            raise LimitReached.of("caller", f"{self._what} a day", self._most, retry_after)
        pace.charge(1, now)

    def _of(self, subject: str, now: float) -> Pace:
        if len(self._paces) >= _REMEMBERED:
            self._paces = {name: pace for name, pace in self._paces.items() if not pace.is_rested(now)}
        per_second = self._most / _DAY_SECONDS
        return self._paces.setdefault(subject, Pace(per_second, burst_seconds=(self._most - 1) / per_second))
