"""Work store: media that are due, and what came of them; one method for each transaction, plain SQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

import structlog
from psycopg.rows import dict_row

from services.analysis.domain.media import Claim, MediaState, StoredMedia, analysis_name
from services.analysis.domain.model_set import ModelSet
from services.analysis.domain.rows import CommitOutcome, SealedResult
from services.analysis.store.claimers import Claimer
from services.analysis.store.commit import Event, commit_results
from services.chassis.changes.records import record_changed
from services.chassis.database import Pool
from services.chassis.error_details import failure_reason
from services.chassis.failed_work.set_aside import Item, SetAside
from services.chassis.telemetry.spans import kept_trace
from services.keyring import PURPOSES, Purpose

_STALE_AT_A_TIME = 1000

_log = structlog.stdlib.get_logger()


class WorkStore:
    """Implements `Work` on PostgreSQL."""

    def __init__(self, pool: Pool, event: Event, set_aside: SetAside, claimer: Claimer) -> None:
        self._pool = pool
        self._claimer = claimer
        self._event = event
        self._set_aside = set_aside

    async def announce(self, media: StoredMedia, now: datetime) -> bool:
        """Note a media that was stored, also in place of a lesser copy of it; tell whether that is news."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                INSERT INTO media (id, subject, purpose, data_key_id, purpose_revision, objects, sealed_metadata,
                                   metadata_revision, delete_time, next_attempt_time, receive_time, upload_time, trace)
                SELECT %(media)s, %(subject)s, %(purpose)s, %(data_key_id)s, %(purpose_revision)s, %(objects)s,
                       %(sealed_metadata)s, %(metadata_revision)s, %(delete_time)s, %(now)s, %(now)s, %(upload_time)s,
                       %(trace)s
                WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE data_key_id = %(data_key_id)s::uuid)
                  AND NOT EXISTS (
                      SELECT 1 FROM fence
                      WHERE subject = %(subject)s AND purpose = %(purpose)s AND revision >= %(purpose_revision)s
                  )
                ON CONFLICT (id) DO UPDATE SET
                    data_key_id = EXCLUDED.data_key_id, purpose_revision = EXCLUDED.purpose_revision,
                    objects = EXCLUDED.objects, sealed_metadata = EXCLUDED.sealed_metadata,
                    metadata_revision = EXCLUDED.metadata_revision, delete_time = EXCLUDED.delete_time,
                    state = CASE WHEN media.state = 'DONE' AND EXISTS (
                        SELECT 1 FROM findings WHERE media_id = media.id AND findings.purpose = media.purpose
                    ) THEN 'DONE' ELSE 'PENDING' END,
                    parked_reason = NULL, renewal = media.state = 'DONE', generation = media.generation + 1,
                    attempts = 0, faults = 0, next_attempt_time = EXCLUDED.next_attempt_time,
                    claim_id = NULL, claim_end_time = NULL, trace = EXCLUDED.trace
                WHERE media.subject = EXCLUDED.subject AND media.purpose = EXCLUDED.purpose
                  AND media.data_key_id <> EXCLUDED.data_key_id
                  AND media.metadata_revision <= EXCLUDED.metadata_revision
                """,
                {**vars(media), "objects": list(media.objects), "now": now, "trace": kept_trace()},
            )
            if cursor.rowcount:
                # Made from a copy that was replaced: as if by models that are served no more.
                await connection.execute(
                    "UPDATE findings SET models = '' WHERE media_id = %(media)s", {"media": media.media}
                )
                await record_changed(connection, media.subject, [analysis_name(media.media)])
            return cursor.rowcount == 1

    async def claim(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        """Claims what is due, longest due first. A claim that ran out counts as a fault of its media."""
        return await self._claim(
            """
            SELECT id FROM media
            WHERE state = 'PENDING' AND next_attempt_time <= %(now)s
              AND (claim_end_time IS NULL OR claim_end_time <= %(now)s)
            ORDER BY next_attempt_time, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            """,
            {"now": now, "until": until, "limit": limit},
        )

    async def claim_renewals(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        """Claims media of which the findings are by other models, those stored last first."""
        return await self._claim(
            """
            SELECT id FROM media
            WHERE renewal AND state <> 'PENDING' AND next_attempt_time <= %(now)s
              AND (claim_end_time IS NULL OR claim_end_time <= %(now)s)
            ORDER BY receive_time DESC, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            """,
            {"now": now, "until": until, "limit": limit},
        )

    async def _claim(self, due: LiteralString, parameters: Mapping[str, Any]) -> list[Claim]:
        async with self._pool.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(
                f"""
                WITH due AS ({due})
                UPDATE media SET
                    claim_id = gen_random_uuid(), claim_end_time = %(until)s, claimer = %(claimer)s,
                    attempts = attempts + 1,
                    faults = faults + (claim_id IS NOT NULL)::integer,
                    drafts = drafts || replace(gen_random_uuid()::text, '-', '')
                FROM due WHERE media.id = due.id
                RETURNING media.*, (
                    SELECT coalesce(jsonb_object_agg(findings.purpose, findings.models), '{{}}')
                    FROM findings WHERE findings.media_id = media.id
                ) AS made
                """,  # noqa: S608  # both parts are literals
                {**parameters, "claimer": self._claimer.number},
            )
            rows = await cursor.fetchall()
        return [claim for row in rows if (claim := await self._read(row, parameters["now"])) is not None]

    async def _read(self, row: Mapping[str, Any], now: datetime) -> Claim | None:
        """Return the claim of a row; one that cannot be read is set aside, and the others are not lost with it."""
        try:
            return _claim(row)
        except Exception as error:  # noqa: BLE001  # the wall: one media never stops the others
            await self._set_aside.put("media", Item(str(row["id"]), row["subject"]), failure_reason(error), now)
            next_time = (await self._set_aside.of_kind("media", now))[str(row["id"])]
            async with self._pool.connection() as connection:
                await connection.execute(
                    "UPDATE media SET next_attempt_time = %s, claim_id = NULL, claim_end_time = NULL WHERE id = %s",
                    (next_time, row["id"]),
                )
            _log.error("item_set_aside", kind="media", item=str(row["id"]), exc_info=error)
            return None

    async def commit(self, results: Sequence[SealedResult], now: datetime) -> CommitOutcome:
        """Store results whose claim, fence and keys still hold, with an event for each."""
        async with self._pool.connection() as connection:
            return await commit_results(connection, results, now, self._event)

    async def release(self, claims: Collection[Claim], *, at: datetime, fault: bool) -> None:
        """Give claims up; their media are due again at the time given."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                UPDATE media SET claim_id = NULL, claim_end_time = NULL, next_attempt_time = %(at)s,
                                 faults = faults + %(fault)s
                WHERE claim_id = ANY(%(ids)s)
                """,
                {"at": at, "fault": int(fault), "ids": [claim.id for claim in claims]},
            )

    async def defer(self, claims: Collection[Claim], *, at: datetime) -> None:
        """Give renewals up until a time, with their faults forgotten; the findings that there are serve on."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                UPDATE media SET claim_id = NULL, claim_end_time = NULL, next_attempt_time = %(at)s,
                                 attempts = 0, faults = 0
                WHERE claim_id = ANY(%(ids)s)
                """,
                {"at": at, "ids": [claim.id for claim in claims]},
            )

    async def renew_stale(self, models: ModelSet, now: datetime) -> int:
        """Make some of the media due for renewal of which findings are by other models; return how many.

        Their state stays: what was found goes on serving until it is replaced.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                WITH stale AS (
                    SELECT media.id
                    FROM unnest(%(purposes)s::text[], %(models)s::text[]) AS present (purpose, models)
                    JOIN findings ON findings.purpose = present.purpose
                        AND (findings.models < present.models OR findings.models > present.models)
                    JOIN media ON media.id = findings.media_id
                    WHERE media.state <> 'PENDING' AND NOT media.renewal LIMIT %(limit)s
                )
                UPDATE media SET renewal = true, attempts = 0, faults = 0, next_attempt_time = %(now)s
                WHERE id = ANY(ARRAY(SELECT id FROM stale))
                """,
                {
                    "purposes": list(PURPOSES),
                    "models": [models.for_purpose(each) for each in PURPOSES],
                    "now": now,
                    "limit": _STALE_AT_A_TIME,
                },
            )
            return cursor.rowcount

    async def renew_media(self, subject: str, media: UUID, now: datetime) -> bool:
        """Make a media due for renewal: its own findings are by no model any more, until they are replaced."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                WITH due AS (
                    UPDATE media SET renewal = true, attempts = 0, faults = 0, next_attempt_time = %(now)s
                    WHERE id = %(media)s AND subject = %(subject)s AND state = 'DONE' AND NOT renewal
                    RETURNING id, purpose
                )
                UPDATE findings SET models = '' FROM due
                WHERE findings.media_id = due.id AND findings.purpose = due.purpose
                """,
                {"subject": subject, "media": media, "now": now},
            )
            return cursor.rowcount > 0

    async def want_purpose(self, subject: str, purpose: Purpose, now: datetime) -> int:
        """Make a person's media due again that have no findings of a purpose; return how many.

        Media that are being worked on become due once more when that is committed: it may have begun without the key.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                WITH wanted AS (
                    SELECT id, state FROM media
                    WHERE subject = %(subject)s AND state IN ('DONE', 'PENDING') AND NOT EXISTS (
                        SELECT 1 FROM findings WHERE media_id = media.id AND purpose = %(purpose)s
                    )
                    ORDER BY id FOR UPDATE
                )
                UPDATE media SET
                    generation = generation + 1,
                    attempts = CASE media.state WHEN 'DONE' THEN 0 ELSE attempts END,
                    next_attempt_time = CASE media.state WHEN 'DONE' THEN %(now)s ELSE next_attempt_time END,
                    trace = CASE media.state WHEN 'DONE' THEN %(trace)s ELSE trace END,
                    state = 'PENDING'
                FROM wanted WHERE wanted.id = media.id
                RETURNING media.id, wanted.state
                """,
                {"subject": subject, "purpose": purpose, "now": now, "trace": kept_trace()},
            )
            rows = await cursor.fetchall()
            await record_changed(connection, subject, [analysis_name(id_) for id_, state in rows if state == "DONE"])
            return len(rows)

    async def subjects_without(self, purpose: Purpose, *, after: str, limit: int) -> list[str]:
        """Return persons, in order, after one, with media that are done without these findings."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                """
                WITH RECURSIVE person AS (
                    SELECT min(subject) AS subject FROM media WHERE state = 'DONE' AND subject > %(after)s
                    UNION ALL
                    SELECT (SELECT min(subject) FROM media WHERE state = 'DONE' AND subject > person.subject)
                    FROM person WHERE person.subject IS NOT NULL
                )
                SELECT subject FROM person WHERE subject IS NOT NULL AND EXISTS (
                    SELECT 1 FROM media
                    WHERE media.subject = person.subject AND state = 'DONE' AND NOT EXISTS (
                        SELECT 1 FROM findings WHERE media_id = media.id AND findings.purpose = %(purpose)s
                    )
                )
                LIMIT %(limit)s
                """,
                {"after": after, "purpose": purpose, "limit": limit},
            )
            return [subject for (subject,) in await cursor.fetchall()]


def _claim(row: Mapping[str, Any]) -> Claim:
    return Claim(
        stored=StoredMedia(
            media=row["id"],
            subject=row["subject"],
            purpose=Purpose(row["purpose"]),
            data_key_id=str(row["data_key_id"]),
            purpose_revision=row["purpose_revision"],
            objects=tuple(row["objects"]),
            sealed_metadata=row["sealed_metadata"],
            metadata_revision=row["metadata_revision"],
            delete_time=row["delete_time"],
            upload_time=row["upload_time"],
        ),
        id=row["claim_id"],
        generation=row["generation"],
        attempts=row["attempts"],
        faults=row["faults"],
        made={Purpose(purpose): models for purpose, models in row["made"].items()},
        draft=row["drafts"][-1],
        state=MediaState(row["state"]),
        trace=row["trace"],
    )
