"""Replicas of this service: the table of their beats, and what they tell each other by LISTEN and NOTIFY."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from services.chassis import listener
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.listener import Notification
from services.retention.domain.revocation import Beat, DestructionHeard, DestructionTold, News
from services.retention.store.revocations import DESTRUCTION, REVOCATION, revocation

_HEARD = "destruction_heard"
_HEARTBEAT_SECONDS = 1.0
_FORGOTTEN = "1 hour"


class PostgresReplicas:
    """Implements `ports.Replicas`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def told(self, replica: UUID) -> AsyncIterator[Sequence[News]]:
        """Yield what is told; an empty item first, and at least one each second (`listener.listen`)."""
        channels = (REVOCATION, DESTRUCTION, _HEARD, _beats(replica))
        listening = listener.listen(str(self._pool.conninfo), *channels, heartbeat_seconds=_HEARTBEAT_SECONDS)
        async with aclosing(listening) as told:
            async for notifications in told:
                yield list(map(_news, notifications))

    async def beat(self, replica: UUID, number: int) -> None:
        """Record that a replica lives, and tell it so; records of those that are long gone are deleted."""
        await self._execute(
            """
            WITH beat AS (
                INSERT INTO replica (id, beat_time) VALUES (%(replica)s, clock_timestamp())
                ON CONFLICT (id) DO UPDATE SET beat_time = excluded.beat_time
            ), gone AS (
                DELETE FROM replica WHERE beat_time < clock_timestamp() - %(forgotten)s::interval
            )
            SELECT pg_notify(%(channel)s, %(number)s::text)
            """,
            {"replica": replica, "channel": _beats(replica), "number": number, "forgotten": _FORGOTTEN},
        )

    async def ages(self) -> Mapping[UUID, float]:
        """Return the seconds since the last beat of each replica."""
        rows = await self._execute(
            "SELECT id, extract(epoch FROM clock_timestamp() - beat_time)::float FROM replica", {}
        )
        return dict(rows)

    async def acknowledge(self, destruction: UUID, replica: UUID) -> None:
        """Tell that no holder that a replica answers for has any more what was destroyed."""
        await self._execute(
            "SELECT pg_notify(%(channel)s, %(note)s)", {"channel": _HEARD, "note": f"{destruction} {replica}"}
        )

    async def _execute(self, statement: str, parameters: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        with _reached():
            async with self._pool.connection() as connection:
                return await (await connection.execute(statement.encode(), parameters)).fetchall()


def _beats(replica: UUID) -> str:
    return f"replica_{replica.hex}"


def _news(notification: Notification) -> News:
    match notification.channel:
        case "revocation":
            return revocation(notification.payload)
        case "destruction":
            return DestructionTold(UUID(notification.payload))
        case "destruction_heard":
            destruction, replica = notification.payload.split()
            return DestructionHeard(UUID(destruction), UUID(replica))
    return Beat(int(notification.payload))


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, PoolTimeout) as error:
        raise DependencyUnavailable.of("database") from error
