"""Table of requests that no other row remembers: one method, one statement."""

from datetime import datetime
from uuid import UUID

from services.chassis.database import Pool
from services.ingest.domain.quota import Quota
from services.ingest.ports.outcomes import Remembering
from services.ingest.store import statements
from services.ingest.store.connections import quota_parameters, single_statements


class RequestStore:
    """Implements `ports.Requests` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def remember(self, subject: str, request_id: UUID, tag: bytes, now: datetime, *, quota: Quota) -> Remembering:
        """Note a request, in one statement; what stood in the way is looked for in another."""
        request = {"subject": subject, "request_id": request_id, "request_tag": tag, "now": now}
        async with single_statements(self._pool) as connection:
            values = {**request, **quota_parameters(quota)}
            if (await connection.execute(statements.REMEMBER_REQUEST, values)).rowcount:
                return Remembering.NOTED
            cursor = await connection.execute(statements.IS_SAME_REQUEST, request)
            found = await cursor.fetchone()
            if found is None:
                return Remembering.NO_ROOM
            return Remembering.NOTED if found[0] else Remembering.REUSED
