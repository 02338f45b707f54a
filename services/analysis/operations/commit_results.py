"""Sealing and committing results: objects first, then everything else in one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog

from services.analysis.domain.finding_records import dump_place, dump_scene, dump_templates
from services.analysis.domain.findings import Parked
from services.analysis.domain.media import Claim, PreviewSize
from services.analysis.domain.metrics import DELAY
from services.analysis.domain.rows import CommitOutcome, SealedFindings, SealedResult, StoredPreview
from services.analysis.operations import result_keys
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.result_keys import GrantedKeys
from services.analysis.operations.update_metadata import refresh_records
from services.analysis.vision.pipeline import PipelineResult
from services.chassis.errors import DependencyUnavailable
from services.chassis.seal import seal_bytes, seal_object
from services.keyring import DataKey, Purpose, artefact_aad

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class AnalysisResult:
    """What came of a claim: something, a reason why nothing, or nothing to be done; and the trace of the work."""

    granted: GrantedKeys
    outcome: PipelineResult | Parked | None
    trace: str = ""


async def commit_results(results: Sequence[AnalysisResult], dependencies: Dependencies) -> None:
    """Seal and commit results. What was withdrawn or erased meanwhile is dropped, without a trace.

    Raises:
        DependencyUnavailable: a store does not answer; the claims hold on.
    """
    fresh = [result for result in await asyncio.gather(*(_renewed(each, dependencies) for each in results)) if result]
    if not fresh:
        return
    sealed = await asyncio.gather(*(_seal(result, dependencies) for result in fresh))
    now = dependencies.clock.now()
    outcome = await dependencies.work.commit(sealed, now)
    _measure_delays(sealed, outcome, now, dependencies)
    refused = [each.claim for each in sealed if each.claim.id not in outcome.accepted]
    unused = [*outcome.replaced_objects, *(claim.draft for claim in refused)]
    await dependencies.objects.delete(dependencies.buckets.previews, unused)
    await _destroy_replaced(outcome, dependencies)
    await refresh_records(outcome.outdated, dependencies)
    await dependencies.work.release(refused, at=dependencies.clock.now(), fault=False)


def _measure_delays(
    sealed: Sequence[SealedResult], outcome: CommitOutcome, now: datetime, dependencies: Dependencies
) -> None:
    for each in sealed:
        if each.claim.id in outcome.accepted and (uploaded := each.claim.stored.upload_time) is not None:
            dependencies.measurements.measure(DELAY, (now - uploaded).total_seconds())


async def _renewed(result: AnalysisResult, dependencies: Dependencies) -> AnalysisResult | None:
    if result.granted.is_fresh(dependencies.clock):
        return result
    granted = await result_keys.renew_keys(result.granted, keyring=dependencies.keyring, clock=dependencies.clock)
    if granted is None:
        # The next attempt finds out why, and deletes what must go.
        await dependencies.work.release([result.granted.claim], at=dependencies.clock.now(), fault=False)
        return None
    return replace(result, granted=granted)


async def _seal(result: AnalysisResult, dependencies: Dependencies) -> SealedResult:
    claim, outcome = result.granted.claim, result.outcome
    if not isinstance(outcome, PipelineResult):
        parked = outcome.reason if outcome is not None else None
        return SealedResult(claim, parked, _sealed(result, _parked_records(result), dependencies), (), result.trace)
    records = _sealed(result, _records(result, outcome), dependencies)
    return SealedResult(claim, None, records, await _previews(result, dependencies), result.trace)


def _parked_records(result: AnalysisResult) -> dict[Purpose, bytes]:
    own = result.granted.claim.stored.purpose
    return {own: dump_scene(result.outcome)} if isinstance(result.outcome, Parked) else {}


def _records(result: AnalysisResult, found: PipelineResult) -> dict[Purpose, bytes]:
    records: dict[Purpose, bytes] = {}
    if found.scene is not None:
        records[result.granted.claim.stored.purpose] = dump_scene(found.scene)
    if found.place is not None:
        records[Purpose.LOCATION] = dump_place(found.place)
    if found.templates is not None:
        records[Purpose.FACE_GROUPING] = dump_templates(found.templates)
    return records


def _sealed(
    result: AnalysisResult, records: Mapping[Purpose, bytes], dependencies: Dependencies
) -> tuple[SealedFindings, ...]:
    """Seals each record under the first key of its purpose; without one the record is dropped."""
    return tuple(
        _sealed_one(result.granted.claim, purpose, dependencies.models.for_purpose(purpose), made[0], record)
        for purpose, record in records.items()
        if (made := result.granted.keys.get(purpose))
    )


def _sealed_one(claim: Claim, purpose: Purpose, models: str, key: DataKey, record: bytes) -> SealedFindings:
    sealed = seal_bytes(key.key, record, artefact_aad(key.id, purpose))
    stored = claim.stored
    row = stored.media, purpose, models, UUID(key.id), key.purpose_revision, sealed
    return SealedFindings(*row, metadata_revision=stored.metadata_revision)


async def _previews(result: AnalysisResult, dependencies: Dependencies) -> tuple[StoredPreview, ...]:
    """Put the previews into one object, one sealed stream behind the other."""
    claim, found = result.granted.claim, result.outcome
    own = result.granted.keys.get(claim.stored.purpose)
    if not isinstance(found, PipelineResult) or own is None or not found.screen or not found.thumbnail:
        return ()
    copies = (PreviewSize.THUMBNAIL, found.thumbnail), (PreviewSize.SCREEN, found.screen)
    rows: list[StoredPreview] = []
    content = b""
    for (size, data), key in zip(copies, own[1:], strict=True):
        sealed = seal_object(key.key, data, artefact_aad(key.id, claim.stored.purpose))
        place = claim.draft, len(content), len(sealed)
        rows.append(StoredPreview(claim.stored.media, size, *place, UUID(key.id), key.purpose_revision))
        content += sealed
    await dependencies.objects.put(dependencies.buckets.previews, claim.draft, content)
    return tuple(rows)


async def _destroy_replaced(outcome: CommitOutcome, dependencies: Dependencies) -> None:
    """Destroys keys that seal nothing any more; if that fails, they end with the media."""
    for subject, ids in outcome.replaced_keys.items():
        try:
            await dependencies.keyring.destroy(subject=subject, ids=ids)
        except DependencyUnavailable:
            _log.warning("replaced_keys_kept")
