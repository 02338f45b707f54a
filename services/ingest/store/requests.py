"""Table of requests that no other row remembers: one method, one statement."""

from datetime import datetime
from uuid import UUID

from services.chassis.database import Pool
from services.ingest.store import statements
from services.ingest.store.connections import single_statements


class RequestStore:
    """Implements `ports.Requests` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def remember(self, subject: str, request_id: UUID, tag: bytes, now: datetime) -> bool:
        """Note a request; False if another one bears its id."""
        request = {"subject": subject, "request_id": request_id, "request_tag": tag, "now": now}
        async with single_statements(self._pool) as connection:
            cursor = await connection.execute(statements.REMEMBER_REQUEST, request)
            return cursor.rowcount == 1
