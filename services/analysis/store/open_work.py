"""Open work: how many media are due or in hand."""

from services.chassis.clock import Clock
from services.chassis.database import Pool

_OPEN = """
    SELECT (
        SELECT count(*) FROM (
            SELECT FROM media WHERE state = 'PENDING' AND next_attempt_time <= %(now)s LIMIT %(limit)s
        ) AS fresh
    ) + (
        SELECT count(*) FROM (
            SELECT FROM media WHERE renewal AND state <> 'PENDING' AND next_attempt_time <= %(now)s LIMIT %(limit)s
        ) AS renewed
    )
"""


class OpenWork:
    """What workers have to do, from the moment in which it is due until its result is stored, or it waits again."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def count(self, limit: int) -> int:
        """Return how many media are due or in hand, counted up to a number, in one statement."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_OPEN, {"now": self._clock.now(), "limit": limit})
            ((count,),) = await cursor.fetchall()
        return min(int(count), limit)
