"""Pace of one caller: what it may do a second, measured so that neither bursts nor cancelled calls come free."""


class Pace:
    """Allowance that refills steadily (the generic cell rate algorithm); not safe for two threads."""

    def __init__(self, per_second: float, burst_seconds: float) -> None:
        """Begin with the whole burst to spend.

        Args:
            per_second: What may be done a second in the long run.
            burst_seconds: How many seconds' worth may be done at once.
        """
        self._second = 1.0 / per_second
        self._burst_seconds = burst_seconds
        self._spent_until = float("-inf")

    def delay(self, now: float) -> float:
        """Return the seconds that a caller has to wait before its next step, if nothing is charged meanwhile."""
        return max(0.0, self._spent_until - now - self._burst_seconds)

    def charge(self, cost: float, now: float) -> float:
        """Charge a step, and return the seconds to wait before it is taken; a step that is given up stays charged."""
        delay = self.delay(now)
        self._spent_until = max(self._spent_until, now) + cost * self._second
        return delay

    def is_rested(self, now: float) -> bool:
        """Tells whether the whole burst is there again, so that nothing has to be remembered."""
        return self._spent_until <= now
