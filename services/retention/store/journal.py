"""Statements of a replay: what the journal says was destroyed is destroyed in this database as well."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Connection
from services.retention.domain.keys import DestroyedKey, DestroyedPurpose, Purpose

_TAG = "left(encode(sha256(convert_to(%(salt)s || subject, 'UTF8')), 'hex'), 32)"


class JournalTable:
    """Implements `JournalReplays`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def destroy_purposes(self, revisions: Collection[int]) -> list[tuple[str, DestroyedPurpose]]:
        """Delete purpose keys by their fencing numbers, and return whose they were."""
        cursor = await self._connection.execute(
            "DELETE FROM purpose_key WHERE revision = ANY(%(revisions)s) RETURNING subject, purpose, revision",
            {"revisions": list(revisions)},
        )
        return [
            (subject, DestroyedPurpose(Purpose(purpose), revision))
            for subject, purpose, revision in await cursor.fetchall()
        ]

    async def destroy_keys(self, ids: Collection[str]) -> list[DestroyedKey]:
        """Delete data keys."""
        async with self._connection.cursor(row_factory=class_row(DestroyedKey)) as cursor:
            await cursor.execute(
                "DELETE FROM data_key WHERE id = ANY(%(ids)s::uuid[]) RETURNING id::text, subject", {"ids": list(ids)}
            )
            return await cursor.fetchall()

    async def end_media(self, ends: Sequence[tuple[UUID, datetime]]) -> None:
        """Bring forward when media end, and all that derives from them."""
        parameters = {"media": [media for media, _ in ends], "times": [time for _, time in ends]}
        told = "unnest(%(media)s::uuid[], %(times)s::timestamptz[]) AS told (media, time)"
        await self._connection.execute(
            f"""
            UPDATE media SET delete_time = told.time FROM {told}
            WHERE media.media = told.media AND media.delete_time > told.time
            """,  # noqa: S608
            parameters,
        )
        await self._connection.execute(
            f"""
            UPDATE data_key SET delete_time = told.time FROM {told}
            WHERE data_key.lineage @> ARRAY[told.media] AND data_key.delete_time > told.time
            """,  # noqa: S608
            parameters,
        )

    async def narrow(self, bounds: Sequence[tuple[int, datetime]]) -> None:
        """Let purpose keys reach back no further than they did."""
        await self._connection.execute(
            """
            UPDATE purpose_key SET reach_back_time = told.time
            FROM unnest(%(revisions)s::bigint[], %(times)s::timestamptz[]) AS told (revision, time)
            WHERE purpose_key.revision = told.revision
                AND coalesce(purpose_key.reach_back_time, '-infinity') < told.time
            """,
            {"revisions": [revision for revision, _ in bounds], "times": [time for _, time in bounds]},
        )

    async def subjects(self, salt: str, tags: Collection[str]) -> Mapping[str, str]:
        """Return the persons known here that tags stand for."""
        cursor = await self._connection.execute(
            f"""
            SELECT tag, subject FROM (
                SELECT {_TAG} AS tag, subject FROM (
                    SELECT subject FROM purpose_decision UNION SELECT subject FROM purpose_key
                    UNION SELECT subject FROM media UNION SELECT subject FROM data_key
                    UNION SELECT subject FROM account_deletion UNION SELECT subject FROM erasure
                ) AS known
            ) AS tagged WHERE tag = ANY(%(tags)s)
            """,  # noqa: S608
            {"salt": salt, "tags": list(tags)},
        )
        return dict(await cursor.fetchall())

    async def remember_erased(self, salt: str, tag: str, time: datetime) -> None:
        """Write the tombstone of a person who may be unknown here."""
        await self._connection.execute(
            """
            INSERT INTO erased_person AS present (tag, salt, erase_time) VALUES (%(tag)s, %(salt)s, %(time)s)
            ON CONFLICT (tag, salt) DO UPDATE SET erase_time = greatest(present.erase_time, excluded.erase_time)
            """,
            {"tag": tag, "salt": salt, "time": time},
        )

    async def end_epochs(self, epochs: Collection[str], now: datetime) -> None:
        """Record that the keys of epochs are gone for good, whether or not they are known here."""
        await self._connection.execute(
            """
            INSERT INTO epoch AS present (id, make_time, destroy_time, gone_time)
            SELECT id, id::date, %(now)s::timestamptz, %(now)s::timestamptz FROM unnest(%(epochs)s::text[]) AS told (id)
            ON CONFLICT (id) DO UPDATE
            SET destroy_time = coalesce(present.destroy_time, excluded.destroy_time), gone_time = excluded.gone_time
            WHERE present.gone_time IS NULL
            """,
            {"epochs": list(epochs), "now": now},
        )

    async def reserve(self, until: int) -> None:
        """Note up to where fencing numbers may have been handed out."""
        await self._connection.execute(
            """
            INSERT INTO revision_reservation AS present (until) VALUES (%(until)s)
            ON CONFLICT (one) DO UPDATE SET until = greatest(present.until, excluded.until)
            """,
            {"until": until},
        )
