"""Statements about media alone: under which key they came in, and which have lost theirs."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from services.chassis.database import Connection
from services.retention.domain.keys import Purpose, PurposeKey


async def orphans_of(connection: Connection, subject: str, purpose: Purpose, now: datetime, limit: int) -> list[UUID]:
    """Return media of a person that have not ended and came in under a key of a purpose that is gone."""
    cursor = await connection.execute(
        """
        SELECT media.media FROM media LEFT JOIN purpose_key
            ON purpose_key.subject = media.subject AND purpose_key.purpose = media.purpose
        WHERE media.subject = %(subject)s AND media.purpose = %(purpose)s AND media.delete_time > %(now)s
            AND media.purpose_revision IS DISTINCT FROM purpose_key.revision
        LIMIT %(limit)s
        """,
        {"subject": subject, "purpose": purpose, "now": now, "limit": limit},
    )
    return [media for (media,) in await cursor.fetchall()]


async def bring_in(connection: Connection, key: PurposeKey, ends: Mapping[UUID, datetime]) -> None:
    """Remembers media that came in under a purpose key, and when they end; a known one stays as it is."""
    await connection.execute(
        """
        INSERT INTO media (subject, media, purpose, purpose_revision, delete_time)
        SELECT %(subject)s, media, %(purpose)s, %(revision)s, delete_time
        FROM unnest(%(media)s::uuid[], %(ends)s::timestamptz[]) AS new (media, delete_time)
        ON CONFLICT (subject, media) DO NOTHING
        """,
        {
            "subject": key.subject,
            "purpose": key.purpose,
            "revision": key.revision,
            "media": list(ends.keys()),
            "ends": list(ends.values()),
        },
    )
