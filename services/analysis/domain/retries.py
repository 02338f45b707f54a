"""Retry rules: when a media that failed is tried again, and after how many failures no more."""

from datetime import timedelta

FIRST_DELAY = timedelta(seconds=0.5)
LONGEST_DELAY = timedelta(seconds=30)
RENEWAL_PAUSE = timedelta(hours=1)
"""After this, a media that new models could not make anything of is shown to them again."""
MAX_FAULTS = 8
"""Failures that no outage explains, after which a media is parked instead of tried again."""


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after the given number of attempts: doubling, and never more than half a minute."""
    doublings: int = 2 ** min(max(attempts - 1, 0), 16)
    return min(FIRST_DELAY * doublings, LONGEST_DELAY)
