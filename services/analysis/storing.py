"""Sealing and storing what was understood: objects first, then everything else in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from services.analysis import keys
from services.analysis.domain import PreviewSize, Purpose
from services.analysis.findings import Parked
from services.analysis.keys import Allowed
from services.analysis.ports import SealedFindings, Settled, Settlement, StoredPreview
from services.analysis.records import dump_place, dump_seen, dump_templates, record_aad
from services.analysis.tools import Tools
from services.analysis.understanding import Understood
from services.chassis.errors import DependencyUnavailable
from services.chassis.seal import seal_bytes, seal_object
from services.keyring import DataKey

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Result:
    """What came of a claim: something, a reason why nothing, or nothing to be done."""

    allowed: Allowed
    outcome: Understood | Parked | None


async def store_results(results: Sequence[Result], tools: Tools) -> None:
    """Seals and stores results. What was withdrawn or erased meanwhile is dropped, without a trace.

    Raises:
        DependencyUnavailable: a store does not answer; the claims hold on.
    """
    fresh = [result for result in await asyncio.gather(*(_renewed(each, tools) for each in results)) if result]
    if not fresh:
        return
    settlements = await asyncio.gather(*(_seal(result, tools) for result in fresh))
    settled = await tools.work.settle(settlements, tools.clock.now())
    refused = [each.claim for each in settlements if each.claim.id not in settled.accepted]
    doomed = [*settled.replaced_objects, *(claim.draft for claim in refused)]
    await tools.objects.delete(tools.buckets.previews, doomed)
    await _destroy_replaced(settled, tools)
    await tools.work.release(refused, at=tools.clock.now(), fault=False)


async def _renewed(result: Result, tools: Tools) -> Result | None:
    if result.allowed.is_fresh(tools.clock):
        return result
    allowed = await keys.renew(result.allowed, keyring=tools.keyring, clock=tools.clock)
    if allowed is None:
        # The next attempt finds out why, and deletes what must go.
        await tools.work.release([result.allowed.claim], at=tools.clock.now(), fault=False)
        return None
    return Result(allowed, result.outcome)


async def _seal(result: Result, tools: Tools) -> Settlement:
    claim, outcome = result.allowed.claim, result.outcome
    if not isinstance(outcome, Understood):
        parked = outcome.reason if outcome is not None else None
        return Settlement(claim, parked, _sealed(result, _parked_records(result), tools), ())
    return Settlement(claim, None, _sealed(result, _records(result, outcome), tools), await _previews(result, tools))


def _parked_records(result: Result) -> dict[Purpose, bytes]:
    own = result.allowed.claim.stored.purpose
    return {own: dump_seen(result.outcome)} if isinstance(result.outcome, Parked) else {}


def _records(result: Result, understood: Understood) -> dict[Purpose, bytes]:
    records: dict[Purpose, bytes] = {}
    if understood.seen is not None:
        records[result.allowed.claim.stored.purpose] = dump_seen(understood.seen)
    if understood.place is not None:
        records[Purpose.LOCATION] = dump_place(understood.place)
    if understood.templates is not None:
        records[Purpose.FACE_GROUPING] = dump_templates(understood.templates)
    return records


def _sealed(result: Result, records: Mapping[Purpose, bytes], tools: Tools) -> tuple[SealedFindings, ...]:
    """Seals each record under the first key of its purpose; without one the record is dropped."""
    return tuple(
        _sealed_one(result.allowed.claim.stored.media, purpose, tools.models.for_purpose(purpose), made[0], record)
        for purpose, record in records.items()
        if (made := result.allowed.keys.get(purpose))
    )


def _sealed_one(media: UUID, purpose: Purpose, models: str, key: DataKey, record: bytes) -> SealedFindings:
    sealed = seal_bytes(key.key, record, record_aad(key.id, purpose))
    return SealedFindings(media, purpose, models, UUID(key.id), key.purpose_revision, sealed)


async def _previews(result: Result, tools: Tools) -> tuple[StoredPreview, ...]:
    """Puts the reduced copies into one object, one sealed stream behind the other."""
    claim, understood = result.allowed.claim, result.outcome
    own = result.allowed.keys.get(claim.stored.purpose)
    if not isinstance(understood, Understood) or own is None or not understood.preview or not understood.thumbnail:
        return ()
    copies = (PreviewSize.THUMBNAIL, understood.thumbnail), (PreviewSize.PREVIEW, understood.preview)
    rows: list[StoredPreview] = []
    content = b""
    for (size, data), key in zip(copies, own[1:], strict=True):
        sealed = seal_object(key.key, data, record_aad(key.id, claim.stored.purpose))
        place = claim.draft, len(content), len(sealed)
        rows.append(StoredPreview(claim.stored.media, size, *place, UUID(key.id), key.purpose_revision))
        content += sealed
    await tools.objects.put(tools.buckets.previews, claim.draft, content)
    return tuple(rows)


async def _destroy_replaced(settled: Settled, tools: Tools) -> None:
    """Destroys keys that seal nothing any more; if that fails, they end with the media."""
    for subject, ids in settled.replaced_keys.items():
        try:
            await tools.keyring.destroy(subject=subject, ids=ids)
        except DependencyUnavailable:
            _log.warning("replaced_keys_kept")
