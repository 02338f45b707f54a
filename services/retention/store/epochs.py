"""Statements about epochs."""

from collections.abc import Mapping
from datetime import datetime

from services.chassis.database import Connection


class EpochTable:
    """Implements `Epochs`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, epoch: str, now: datetime, fingerprint: bytes) -> None:
        """Record an epoch whose key was made; of one that is there a fingerprint that is not known is added."""
        await self._connection.execute(
            """
            INSERT INTO epoch AS present (id, make_time, fingerprint) VALUES (%(id)s, %(now)s, %(fingerprint)s)
            ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint WHERE present.fingerprint IS NULL
            """,
            {"id": epoch, "now": now, "fingerprint": fingerprint},
        )

    async def renew(self, epoch: str, fingerprint: bytes) -> None:
        """Record that another key has taken the place of a lost one."""
        await self._connection.execute(
            "UPDATE epoch SET fingerprint = %(fingerprint)s WHERE id = %(id)s",
            {"id": epoch, "fingerprint": fingerprint},
        )

    async def due(self, made_until: datetime) -> list[str]:
        """Return epochs made at or before a time and not destroyed."""
        cursor = await self._connection.execute(
            "SELECT id FROM epoch WHERE make_time <= %(until)s AND destroy_time IS NULL ORDER BY id",
            {"until": made_until},
        )
        return [id_ for (id_,) in await cursor.fetchall()]

    async def living(self, made_after: datetime) -> Mapping[str, bytes | None]:
        """Return epochs made after a time and not destroyed, in order, with their fingerprints as far as known."""
        cursor = await self._connection.execute(
            """
            SELECT id, fingerprint FROM epoch
            WHERE make_time > %(after)s AND destroy_time IS NULL ORDER BY id
            """,
            {"after": made_after},
        )
        return dict(await cursor.fetchall())

    async def gone(self) -> list[str]:
        """Return epochs whose keys were seen to be gone."""
        cursor = await self._connection.execute("SELECT id FROM epoch WHERE gone_time IS NOT NULL ORDER BY id")
        return [id_ for (id_,) in await cursor.fetchall()]

    async def mark_gone(self, epoch: str, now: datetime) -> None:
        """Record that the key of a destroyed epoch was seen to be gone; a trigger tells the journal."""
        await self._connection.execute(
            "UPDATE epoch SET gone_time = %(now)s WHERE id = %(id)s AND gone_time IS NULL", {"id": epoch, "now": now}
        )

    async def mark_reappeared(self, epoch: str, now: datetime) -> None:
        """Record that the key of an epoch was there again."""
        await self._connection.execute(
            "UPDATE epoch SET reappear_time = %(now)s WHERE id = %(id)s", {"id": epoch, "now": now}
        )

    async def destroyed(self) -> list[str]:
        """Return epochs recorded as destroyed."""
        cursor = await self._connection.execute("SELECT id FROM epoch WHERE destroy_time IS NOT NULL ORDER BY id")
        return [id_ for (id_,) in await cursor.fetchall()]

    async def lock_for_wrapping(self, epoch: str) -> bool:
        """Keep an epoch from being destroyed until the transaction ends."""
        cursor = await self._connection.execute(
            "SELECT destroy_time IS NULL FROM epoch WHERE id = %(id)s FOR SHARE", {"id": epoch}
        )
        row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def lock_for_destruction(self, epoch: str) -> None:
        """Keep others from wrapping under an epoch until the transaction ends."""
        await self._connection.execute("SELECT id FROM epoch WHERE id = %(id)s FOR UPDATE", {"id": epoch})

    async def in_use(self, epoch: str, now: datetime) -> bool:
        """Tell whether an epoch wraps a purpose key, or a data key that lives."""
        cursor = await self._connection.execute(
            """
            SELECT EXISTS (SELECT FROM purpose_key WHERE epoch = %(id)s) OR EXISTS (
                SELECT FROM data_key JOIN purpose_key
                    ON purpose_key.subject = data_key.subject AND purpose_key.purpose = data_key.purpose
                    AND purpose_key.revision = data_key.purpose_revision
                WHERE data_key.epoch = %(id)s AND data_key.delete_time > %(now)s AND purpose_key.expire_time > %(now)s
            )
            """,
            {"id": epoch, "now": now},
        )
        row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def mark_destroyed(self, epoch: str, now: datetime) -> None:
        """Record that an epoch is destroyed."""
        await self._connection.execute(
            "UPDATE epoch SET destroy_time = %(now)s WHERE id = %(id)s AND destroy_time IS NULL",
            {"id": epoch, "now": now},
        )
