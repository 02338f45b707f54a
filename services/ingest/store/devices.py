"""Table of devices: one method, one transaction."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.changes.records import forget_device
from services.chassis.database import Connection, Pool, subject_lock
from services.ingest.domain.devices import KEPT_PER_DEVICE, device_name
from services.ingest.domain.records import DeviceRow
from services.ingest.ports import REVOCATIONS
from services.ingest.ports.outcomes import Registration
from services.ingest.store import statements
from services.ingest.store.connections import single_statements
from services.keyring import Purpose


class DeviceStore:
    """Implements `ports.DeviceTable` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find(self, subject: str, device_id: UUID) -> DeviceRow | None:
        """Return a device of the person, in one statement."""
        rows = await self._rows(statements.FIND_DEVICE, {"subject": subject, "id": device_id})
        return rows[0] if rows else None

    async def registered(self, subject: str) -> list[DeviceRow]:
        """Return the devices that are not revoked, the one seen last first, in one statement."""
        return list(await self._rows(statements.REGISTERED_DEVICES, {"subject": subject}))

    async def put(self, row: DeviceRow, *, replaces: UUID | None, most: int) -> Registration:
        """Store a device as the only one of the person's that does, so that they are never too many."""
        values = {**vars(row), "purpose": Purpose.CLOUD_PROCESSING, "replaces": replaces}
        async with self._pool.connection() as connection, subject_lock(connection, row.subject):
            if replaces is None and await _are_enough(connection, row.subject, most):
                return Registration.TOO_MANY
            statement = statements.ADD_DEVICE if replaces is None else statements.REPLACE_DEVICE
            stored = await connection.execute(statement, values)
            return Registration.STORED if stored.rowcount else Registration.STALE

    async def see(self, subject: str, device_id: UUID, hour: datetime) -> DeviceRow | None:
        """Note that a device was seen, in one statement."""
        rows = await self._rows(statements.SEE_DEVICE, {"subject": subject, "id": device_id, "hour": hour})
        return rows[0] if rows else None

    async def revoke(self, subject: str, device_id: UUID, now: datetime) -> DeviceRow | None:
        """Make a device a tombstone, in one transaction with what its feed knows of it."""
        device = {"subject": subject, "id": device_id, "now": now}
        async with (
            self._pool.connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=class_row(DeviceRow)) as cursor,
        ):
            await cursor.execute(statements.LOCK_DEVICE, device)
            before = await cursor.fetchone()
            if before is not None and before.revoke_time is None:
                await connection.execute(statements.REVOKE_DEVICE, device)
                await forget_device(connection, subject, device_name(device_id))
                await connection.execute("SELECT pg_notify(%s, %s)", (REVOCATIONS, subject))
        return before

    async def _rows(self, statement: str, parameters: dict[str, object]) -> Sequence[DeviceRow]:
        async with (
            single_statements(self._pool) as connection,
            connection.cursor(row_factory=class_row(DeviceRow)) as cursor,
        ):
            await cursor.execute(statement, parameters)
            return await cursor.fetchall()


async def _are_enough(connection: Connection, subject: str, most: int) -> bool:
    cursor = await connection.execute(statements.COUNT_DEVICES, {"subject": subject})
    registered, kept = await cursor.fetchone() or (0, 0)
    return bool(registered >= most or kept >= KEPT_PER_DEVICE * most)
