"""Statements about data keys and the media that they derive from."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.retention.domain.keys import (
    NO_EPOCH,
    DestroyedKey,
    DestroyedPurpose,
    NewKeyRow,
    Portion,
    Purpose,
    PurposeKey,
    SealedKey,
    SealedKeys,
    WrappedKey,
)
from services.retention.store import media_rows
from services.retention.store.purposes import PURPOSE_KEY_COLUMNS, PurposeKeyRow


class DataKeyTable:
    """Implements `DataKeys`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, key: PurposeKey, owner: str, rows: Sequence[NewKeyRow]) -> None:
        """Store new data keys."""
        await self._connection.execute(
            """
            INSERT INTO data_key (id, subject, purpose, purpose_revision, owner, epoch, sealed, delete_time, lineage)
            SELECT id, %(subject)s, %(purpose)s, %(revision)s, %(owner)s, epoch, sealed, delete_time, lineage::uuid[]
            FROM unnest(
                %(ids)s::uuid[], %(epochs)s::text[], %(sealed)s::bytea[], %(delete_times)s::timestamptz[],
                %(lineages)s::text[]
            ) AS new (id, epoch, sealed, delete_time, lineage)
            """,
            {
                "subject": key.subject,
                "purpose": key.purpose,
                "revision": key.revision,
                "owner": owner,
                "ids": [row.id for row in rows],
                "epochs": [row.wrapped.epoch for row in rows],
                "sealed": [row.wrapped.sealed for row in rows],
                "delete_times": [row.delete_time for row in rows],
                "lineages": [_array(row.lineage) for row in rows],
            },
        )

    async def of_media(self, key: PurposeKey) -> list[tuple[UUID, SealedKey]]:
        """Return the data keys of media that came in under a purpose key, and of each alone, with that media."""
        cursor = await self._connection.execute(
            """
            SELECT media.media, data_key.id::text, coalesce(data_key.epoch, ''), data_key.sealed
            FROM data_key JOIN media
                ON media.subject = data_key.subject AND media.media = data_key.lineage[1]
                AND media.purpose = data_key.purpose AND media.purpose_revision = data_key.purpose_revision
            WHERE data_key.subject = %(subject)s AND data_key.purpose = %(purpose)s
                AND data_key.purpose_revision = %(revision)s AND cardinality(data_key.lineage) = 1
            """,
            {"subject": key.subject, "purpose": key.purpose, "revision": key.revision},
        )
        return [
            (media, SealedKey(id_, WrappedKey(epoch, sealed))) for media, id_, epoch, sealed in await cursor.fetchall()
        ]

    async def under_epoch(self, epoch: str, *, after: str, now: datetime, limit: int) -> Portion:
        """Return data keys of an epoch, those that live with their purpose keys, and lock them."""
        # The portion first: joined at once, all rows of the epoch would be read for each.
        cursor = await self._connection.execute(
            f"""
            WITH portion AS MATERIALIZED (
                SELECT id, subject, purpose, purpose_revision, epoch, sealed, delete_time FROM data_key
                WHERE {"epoch IS NULL" if epoch == NO_EPOCH else "epoch = %(epoch)s"} AND id > %(after)s::uuid
                ORDER BY epoch, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )
            SELECT {PURPOSE_KEY_COLUMNS}, portion.id::text, coalesce(portion.epoch, ''), portion.sealed
            FROM portion LEFT JOIN purpose_key
                ON purpose_key.subject = portion.subject AND purpose_key.purpose = portion.purpose
                AND purpose_key.revision = portion.purpose_revision
                AND portion.delete_time > %(now)s AND purpose_key.expire_time > %(now)s
            ORDER BY portion.id
            """,  # noqa: S608
            {"epoch": epoch, "after": after, "now": now, "limit": limit},
            binary=True,
        )
        rows = await cursor.fetchall()
        groups: defaultdict[PurposeKey, list[SealedKey]] = defaultdict(list)
        for *purpose_key, id_, of_epoch, sealed in rows:
            if purpose_key[0] is not None:
                groups[PurposeKeyRow(*purpose_key).key()].append(SealedKey(id_, WrappedKey(of_epoch, sealed)))
        living = tuple(SealedKeys(purpose_key, tuple(keys)) for purpose_key, keys in groups.items())
        return Portion(living, rows[-1][-3] if rows else "")

    async def wrap_anew(self, keys: Collection[SealedKey]) -> None:
        """Replace the wrapping of data keys."""
        await self._connection.execute(
            """
            UPDATE data_key SET epoch = new.epoch, sealed = new.sealed
            FROM unnest(%(ids)s::uuid[], %(epochs)s::text[], %(sealed)s::bytea[]) AS new (id, epoch, sealed)
            WHERE data_key.id = new.id
            """,
            {
                "ids": [key.id for key in keys],
                "epochs": [key.wrapped.epoch for key in keys],
                "sealed": [key.wrapped.sealed for key in keys],
            },
        )

    async def destroy_lost(self, ids: Collection[str]) -> list[DestroyedKey]:
        """Delete data keys that can no longer be opened."""
        return await self._destroyed(
            "DELETE FROM data_key WHERE id = ANY(%(ids)s::uuid[]) RETURNING id::text, subject", {"ids": list(ids)}
        )

    async def destroy(self, subject: str, owner: str, ids: Collection[str]) -> list[DestroyedKey]:
        """Delete data keys of a person that a service owns."""
        return await self._destroyed(
            """
            DELETE FROM data_key
            WHERE id = ANY(%(ids)s::uuid[]) AND subject = %(subject)s AND owner = %(owner)s
            RETURNING id::text, subject
            """,
            {"ids": list(ids), "subject": subject, "owner": owner},
        )

    async def destroy_derived(self, subject: str, media: Collection[UUID]) -> list[DestroyedKey]:
        """Delete the data keys of a person that derive from any of these media."""
        return await self._destroyed(
            """
            DELETE FROM data_key
            WHERE lineage && %(media)s::uuid[] AND subject = %(subject)s RETURNING id::text, subject
            """,
            {"media": list(media), "subject": subject},
        )

    async def due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[DestroyedKey]:
        """Return data keys, but these, whose time has come, the oldest first."""
        return await self._destroyed(
            """
            SELECT id::text, subject FROM data_key
            WHERE delete_time <= %(now)s AND id <> ALL(%(without)s::uuid[]) ORDER BY delete_time LIMIT %(limit)s
            """,
            {"now": now, "limit": limit, "without": list(without)},
        )

    async def orphans_of(self, subject: str, purpose: Purpose, now: datetime, limit: int) -> list[UUID]:
        """Return media of a person that have not ended and came in under a key of a purpose that is gone."""
        return await media_rows.orphans_of(self._connection, subject, purpose, now, limit)

    async def destroy_due(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[DestroyedKey]:
        """Delete data keys, but these, whose time has come, the oldest first; skips what another transaction holds."""
        return await self._destroyed(
            """
            DELETE FROM data_key WHERE id = ANY(ARRAY(
                SELECT id FROM data_key WHERE delete_time <= %(now)s AND id <> ALL(%(without)s::uuid[])
                ORDER BY delete_time LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            )) RETURNING id::text, subject
            """,
            {"now": now, "limit": limit, "without": list(without)},
        )

    async def destroy_one_due(self, now: datetime, id_: str) -> list[DestroyedKey]:
        """Delete a data key if its time has come."""
        return await self._destroyed(
            "DELETE FROM data_key WHERE id = %(id)s AND delete_time <= %(now)s RETURNING id::text, subject",
            {"id": id_, "now": now},
        )

    async def clear_purpose(self, subject: str, destroyed: DestroyedPurpose, limit: int) -> list[tuple[UUID, ...]]:
        """Delete rows that a destroyed purpose key left behind, and return their lineages."""
        cursor = await self._connection.execute(
            """
            DELETE FROM data_key WHERE id = ANY(ARRAY(
                SELECT id FROM data_key
                WHERE subject = %(subject)s AND purpose = %(purpose)s AND purpose_revision <= %(revision)s
                LIMIT %(limit)s FOR UPDATE
            )) RETURNING lineage
            """,
            {"subject": subject, "purpose": destroyed.purpose, "revision": destroyed.revision, "limit": limit},
        )
        return [tuple(lineage) for (lineage,) in await cursor.fetchall()]

    async def clear_subject(self, subject: str, revision: int, limit: int) -> int:
        """Delete rows that an erasure left behind, and return how many."""
        cursor = await self._connection.execute(
            """
            DELETE FROM data_key WHERE id = ANY(ARRAY(
                SELECT id FROM data_key WHERE subject = %(subject)s AND purpose_revision <= %(revision)s
                LIMIT %(limit)s FOR UPDATE
            ))
            """,
            {"subject": subject, "revision": revision, "limit": limit},
        )
        return cursor.rowcount

    async def latest_delete_time(self, subject: str, media: UUID) -> datetime | None:
        """Return when the last data key that derives from a media is destroyed; None if there is none."""
        cursor = await self._connection.execute(
            "SELECT max(delete_time) FROM data_key WHERE lineage @> %(media)s::uuid[] AND subject = %(subject)s",
            {"media": [media], "subject": subject},
        )
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def shorten(self, subject: str, media: UUID, delete_time: datetime) -> int:
        """Brings forward the time of all data keys that derive from a media, and returns how many changed."""
        cursor = await self._connection.execute(
            """
            UPDATE data_key SET delete_time = %(delete_time)s
            WHERE lineage @> %(media)s::uuid[] AND subject = %(subject)s AND delete_time > %(delete_time)s
            """,
            {"media": [media], "subject": subject, "delete_time": delete_time},
        )
        return cursor.rowcount

    async def next_time(self) -> datetime | None:
        """Return the next time at which a data key or a purpose key ends, or the deletion of an account begins."""
        cursor = await self._connection.execute(
            """
            SELECT least(
                (SELECT min(delete_time) FROM data_key),
                (SELECT min(expire_time) FROM purpose_key),
                (SELECT min(start_time) FROM account_deletion WHERE cancel_time IS NULL AND keys_destroy_time IS NULL)
            )
            """
        )
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def ends(self, subject: str, media: Collection[UUID]) -> Mapping[UUID, datetime]:
        """Return when media end that are known; a time long past for those whose own key is destroyed."""
        cursor = await self._connection.execute(
            """
            SELECT media.media,
                CASE WHEN media.purpose_revision IS DISTINCT FROM purpose_key.revision
                    THEN to_timestamp(0) ELSE media.delete_time END
            FROM media LEFT JOIN purpose_key
                ON purpose_key.subject = media.subject AND purpose_key.purpose = media.purpose
            WHERE media.subject = %(subject)s AND media.media = ANY(%(media)s::uuid[])
            """,
            {"subject": subject, "media": list(media)},
        )
        return dict(await cursor.fetchall())

    async def came_in(self, subject: str, purpose: Purpose, media: Collection[UUID]) -> set[UUID]:
        """Return those of the media that came in under a purpose."""
        cursor = await self._connection.execute(
            """
            SELECT media FROM media
            WHERE subject = %(subject)s AND purpose = %(purpose)s AND media = ANY(%(media)s::uuid[])
            """,
            {"subject": subject, "purpose": purpose, "media": list(media)},
        )
        return {one for (one,) in await cursor.fetchall()}

    async def bring_in(self, key: PurposeKey, ends: Mapping[UUID, datetime]) -> None:
        """Remembers media that came in under a purpose key, and when they end; a known one stays as it is."""
        await media_rows.bring_in(self._connection, key, ends)

    async def end(self, subject: str, media: Collection[UUID], delete_time: datetime) -> None:
        """Brings forward when media end, for all that will derive from them; an earlier end stays."""
        await self._connection.execute(
            """
            INSERT INTO media (subject, media, delete_time)
            SELECT %(subject)s, media, %(delete_time)s FROM unnest(%(media)s::uuid[]) AS media
            ON CONFLICT (subject, media) DO UPDATE SET delete_time = excluded.delete_time
            WHERE media.delete_time > excluded.delete_time
            """,
            {"subject": subject, "media": list(media), "delete_time": delete_time},
        )

    async def _destroyed(self, statement: str, parameters: dict[str, object]) -> list[DestroyedKey]:
        async with self._connection.cursor(row_factory=class_row(DestroyedKey)) as cursor:
            await cursor.execute(statement.encode(), parameters)
            return await cursor.fetchall()


def _array(lineage: Sequence[UUID]) -> str:
    """Return a lineage as a PostgreSQL array literal: arrays of arrays must not be ragged."""
    return "{" + ",".join(map(str, lineage)) + "}"
