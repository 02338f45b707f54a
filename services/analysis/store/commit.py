"""Commit of results: what is checked, replaced and written in the one transaction that ends claims."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from psycopg.rows import class_row, dict_row

from services.analysis.domain.media import Claim, MediaState, analysis_name
from services.analysis.domain.rows import CommitOutcome, SealedFindings, SealedResult, StoredPreview
from services.chassis.changes.records import record_changed
from services.chassis.database import Connection
from services.chassis.messaging import outbox
from services.chassis.messaging.events import OutgoingEvent

Event = Callable[[str, UUID, MediaState, datetime | None], OutgoingEvent]
"""Makes the event that tells of an analysed media."""


_Made: TypeAlias = SealedFindings | StoredPreview


@dataclass(frozen=True)
class _Held:
    """A claim that still holds, as its row says."""

    id: UUID
    generation: int
    metadata_revision: int
    drafts: list[str]


@dataclass(frozen=True)
class _Replaced:
    media_id: UUID
    data_key_id: UUID
    object: str | None


async def commit_results(
    connection: Connection, results: Sequence[SealedResult], now: datetime, event: Event
) -> CommitOutcome:
    """Store results whose claim, fence and keys still hold, with an event for each.

    The media's rows are locked first, as a purge does: whichever comes second sees what the other did.
    """
    held = await _lock(connection, [result.claim for result in results])
    refused = await _refused(connection, results)
    fit = [each for each in results if each.claim.id in held and each.claim.id not in refused]
    if not fit:
        return CommitOutcome(frozenset())
    replaced = await _replaced(connection, fit)
    await _store_findings(connection, [row for each in fit for row in each.findings])
    await _store_previews(connection, [row for each in fit for row in each.previews])
    await _close(connection, fit, held, now)
    for each in fit:
        await outbox.append(connection, _event(each, event), each.trace)
    await _record(connection, fit)
    return _outcome(fit, held, replaced)


def _event(result: SealedResult, event: Event) -> OutgoingEvent:
    stored, state = result.claim.stored, MediaState.DONE if result.parked is None else MediaState.PARKED
    return event(stored.subject, stored.media, state, stored.upload_time)


async def _lock(connection: Connection, claims: Sequence[Claim]) -> dict[UUID, _Held]:
    """Locks the media of claims that still hold, in the order in which a purge locks them."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(
            """
            SELECT claim_id, id, generation, metadata_revision, drafts
            FROM media WHERE claim_id = ANY(%(ids)s) ORDER BY id FOR UPDATE
            """,
            {"ids": [claim.id for claim in claims]},
        )
        return {row.pop("claim_id"): _Held(**row) for row in await cursor.fetchall()}


async def _refused(connection: Connection, results: Sequence[SealedResult]) -> set[UUID]:
    """Return claims with a result made under a key that was destroyed since."""
    made: list[tuple[SealedResult, _Made]] = []
    for each in results:
        made += [(each, row) for row in each.findings]
        made += [(each, row) for row in each.previews]
    cursor = await connection.execute(
        """
        SELECT made.claim_id
        FROM unnest(%(claims)s::uuid[], %(subjects)s::text[], %(purposes)s::text[], %(revisions)s::bigint[],
                    %(keys)s::uuid[]) AS made (claim_id, subject, purpose, revision, data_key_id)
        WHERE EXISTS (SELECT 1 FROM tombstone WHERE tombstone.data_key_id = made.data_key_id)
           OR EXISTS (
               SELECT 1 FROM fence
               WHERE fence.subject = made.subject AND fence.purpose = made.purpose AND fence.revision >= made.revision
           )
        """,
        {
            "claims": [each.claim.id for each, _ in made],
            "subjects": [each.claim.stored.subject for each, _ in made],
            "purposes": [_purpose(each, row) for each, row in made],
            "revisions": [row.purpose_revision for _, row in made],
            "keys": [row.data_key_id for _, row in made],
        },
    )
    return {claim for (claim,) in await cursor.fetchall()}


def _purpose(result: SealedResult, row: _Made) -> str:
    return row.purpose if isinstance(row, SealedFindings) else result.claim.stored.purpose


async def _replaced(connection: Connection, fit: Sequence[SealedResult]) -> list[_Replaced]:
    """Return what the new results take the place of."""
    async with connection.cursor(row_factory=class_row(_Replaced)) as cursor:
        await cursor.execute(
            """
            SELECT old.media_id, old.data_key_id, NULL AS object FROM findings AS old
            JOIN unnest(%(media)s::uuid[], %(purposes)s::text[]) AS new (media_id, purpose)
              ON new.media_id = old.media_id AND new.purpose = old.purpose
            UNION ALL
            SELECT media_id, data_key_id, object FROM previews WHERE media_id = ANY(%(previewed)s)
            """,
            {
                "media": [row.media_id for each in fit for row in each.findings],
                "purposes": [row.purpose for each in fit for row in each.findings],
                "previewed": [row.media_id for each in fit for row in each.previews],
            },
        )
        return await cursor.fetchall()


async def _store_findings(connection: Connection, rows: Sequence[SealedFindings]) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO findings (media_id, purpose, models, data_key_id, purpose_revision, sealed, metadata_revision)
            VALUES (%(media_id)s, %(purpose)s, %(models)s, %(data_key_id)s, %(purpose_revision)s, %(sealed)s,
                    %(metadata_revision)s)
            ON CONFLICT (media_id, purpose) DO UPDATE SET
                models = EXCLUDED.models, data_key_id = EXCLUDED.data_key_id,
                purpose_revision = EXCLUDED.purpose_revision, sealed = EXCLUDED.sealed,
                metadata_revision = EXCLUDED.metadata_revision
            """,
            [vars(row) for row in rows],
        )


async def _store_previews(connection: Connection, rows: Sequence[StoredPreview]) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO previews (media_id, size, object, byte_offset, byte_count, data_key_id, purpose_revision)
            VALUES (%(media_id)s, %(size)s, %(object)s, %(byte_offset)s, %(byte_count)s, %(data_key_id)s,
                    %(purpose_revision)s)
            ON CONFLICT (media_id, size) DO UPDATE SET
                object = EXCLUDED.object, byte_offset = EXCLUDED.byte_offset, byte_count = EXCLUDED.byte_count,
                data_key_id = EXCLUDED.data_key_id, purpose_revision = EXCLUDED.purpose_revision
            """,
            [vars(row) for row in rows],
        )


async def _close(
    connection: Connection, fit: Sequence[SealedResult], held: Mapping[UUID, _Held], now: datetime
) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            UPDATE media SET
                state = CASE WHEN generation = %(generation)s THEN %(state)s ELSE 'PENDING' END,
                parked_reason = CASE WHEN generation = %(generation)s THEN %(parked)s END,
                renewal = false, attempts = 0, faults = 0, next_attempt_time = %(now)s, analyze_time = %(now)s,
                claim_id = NULL, claim_end_time = NULL, drafts = '{}', upload_time = NULL,
                trace = CASE WHEN generation = %(generation)s THEN '' ELSE trace END
            WHERE id = %(id)s
            """,
            [
                {
                    "id": held[each.claim.id].id,
                    "generation": each.claim.generation,
                    "state": MediaState.DONE if each.parked is None else MediaState.PARKED,
                    "parked": each.parked,
                    "now": now,
                }
                for each in fit
            ],
        )


async def _record(connection: Connection, fit: Sequence[SealedResult]) -> None:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for each in fit:
        names[each.claim.stored.subject].append(analysis_name(each.claim.stored.media))
    for subject in sorted(names):
        await record_changed(connection, subject, names[subject])


def _outcome(fit: Sequence[SealedResult], held: Mapping[UUID, _Held], replaced: Sequence[_Replaced]) -> CommitOutcome:
    kept = {row.object for each in fit for row in each.previews}
    drafts = (draft for each in fit for draft in held[each.claim.id].drafts)
    old = (row.object for row in replaced if row.object is not None)
    subjects = {each.claim.stored.media: each.claim.stored.subject for each in fit}
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for row in replaced:
        keys[subjects[row.media_id]].append(str(row.data_key_id))
    return CommitOutcome(
        accepted=frozenset(each.claim.id for each in fit),
        replaced_objects=tuple({*old, *drafts} - kept),
        replaced_keys={subject: tuple(ids) for subject, ids in keys.items()},
        outdated=tuple(
            each.claim.stored.media
            for each in fit
            if each.claim.stored.metadata_revision < held[each.claim.id].metadata_revision
        ),
    )
