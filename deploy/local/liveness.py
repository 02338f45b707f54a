"""Liveness of a part: when probes without an answer mean that it is frozen, and not that the machine is slow."""

BUSY_SHARE = 0.05
"""A part that used this share of a core since its last probe works on something, however slowly."""
BUSY_PATIENCE = 5
"""By how much longer a busy part is waited for: one that spins does not answer either."""
OVERSLEPT_SECONDS = 10.0
"""A watcher that comes this much too late stood still itself, and knows nothing of its part."""


class Liveness:
    """What the last probes of a part say together.

    Args:
        patience: Probes in a row without an answer after which an idle part is frozen.
        longest: Seconds between two probes at most.
    """

    def __init__(self, patience: int, longest: float) -> None:
        self._patience = patience
        self._longest = longest
        self._worked = 0.0
        self._misses = 0

    @property
    def missed(self) -> bool:
        """Whether the last probe had no answer."""
        return self._misses > 0

    def answered(self, worked: float) -> None:
        """Take an answer down.

        Args:
            worked: Seconds of a core that the part has used since its start.
        """
        self._worked, self._misses = worked, 0

    def silent(self, worked: float, passed: float) -> bool:
        """Take down a probe without an answer; say whether the part is frozen.

        Args:
            worked: Seconds of a core that the part has used since its start.
            passed: Seconds since the last probe.
        """
        busy = worked - self._worked > BUSY_SHARE * passed
        overslept = passed > self._longest + OVERSLEPT_SECONDS
        self._worked = worked
        self._misses = 0 if overslept else self._misses + 1
        return self._misses >= self._patience * (BUSY_PATIENCE if busy else 1)
