"""Analysis of media of one person: from sealed originals to sealed findings."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

import structlog

from services.analysis.domain.finding_records import load_scene
from services.analysis.domain.findings import Parked, SceneFindings
from services.analysis.domain.media import Claim, MediaState, ParkedReason
from services.analysis.domain.metrics import OUTCOMES
from services.analysis.domain.model_set import due_purposes, text_encoder
from services.analysis.domain.retries import LONGEST_DELAY, MAX_FAULTS, RENEWAL_PAUSE, retry_delay
from services.analysis.errors import ModelAnswerBroken, ModelMissing, ModelUnavailable, PictureUnusable, TensorRefused
from services.analysis.operations import purge, result_keys
from services.analysis.operations.commit_results import AnalysisResult, commit_results
from services.analysis.operations.dependencies import Dependencies
from services.analysis.operations.result_keys import GrantedKeys, KeyRequest
from services.analysis.vision.pipeline import analyze_picture
from services.chassis.errors import DependencyUnavailable, DomainError, Status
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import SealBroken, open_bytes, open_object
from services.chassis.telemetry.spans import kept_trace, work_span
from services.keyring import Purpose, PurposeNotGranted, artefact_aad, metadata_aad

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Gone:
    """The media can no longer be opened: it was erased, or its purpose withdrawn."""


@dataclass(frozen=True)
class Retry:
    """Nothing came of it this time.

    Attributes:
        after: When to try again at the earliest.
        fault: Whether no outage explains it.
    """

    after: timedelta
    fault: bool = False


@dataclass(frozen=True)
class Deferred:
    """Nothing came of it, and it has findings by other models: they serve on."""


Outcome: TypeAlias = AnalysisResult | Gone | Retry | Deferred


async def analyze_media(claims: Sequence[Claim], dependencies: Dependencies) -> None:
    """Analyse media of one person that are kept for one purpose, all at the same time.

    Whatever happens, every claim is committed, given up, or its media deleted.

    Args:
        claims: At least one; of one subject and purpose.
        dependencies: What it is done with.
    """
    try:
        await _analyze(claims, dependencies)
    except DomainError as error:
        fault = error.status is not Status.UNAVAILABLE
        _log.warning("analysis_waits", reason=error.reason)
        await _give_up({claim: Retry(retry_delay(claim.attempts), fault) for claim in claims}, dependencies)
    except asyncio.CancelledError:
        # Stopped by a withdrawal or by the end of the process: others may go on at once.
        await asyncio.shield(dependencies.work.release(claims, at=dependencies.clock.now(), fault=False))
        raise


async def _analyze(claims: Sequence[Claim], dependencies: Dependencies) -> None:
    subject, own = claims[0].stored.subject, claims[0].stored.purpose
    originals = await _open_originals(subject, own, claims, dependencies)
    requests = [
        KeyRequest(claim, _due(claim, dependencies)) for claim in claims if claim.stored.data_key_id in originals
    ]
    response = await result_keys.request_keys(
        subject, own, requests, keyring=dependencies.keyring, clock=dependencies.clock
    )
    known = await _known(subject, own, response.granted, dependencies)
    outcomes = await asyncio.gather(
        *(_attempt(granted, known.get(granted.claim.stored.media), dependencies) for granted in response.granted)
    )
    done = dict(zip((granted.claim for granted in response.granted), outcomes, strict=True))
    await _conclude(subject, claims, done, dependencies)


async def _conclude(
    subject: str, claims: Sequence[Claim], done: Mapping[Claim, Outcome], dependencies: Dependencies
) -> None:
    """End every claim in its way; those that nothing is said of have lost their media."""
    outcomes = {claim: done.get(claim, Gone()) for claim in claims}
    _count(outcomes.values(), dependencies)
    await commit_results(
        [outcome for outcome in outcomes.values() if isinstance(outcome, AnalysisResult)], dependencies
    )
    await _give_up({claim: outcome for claim, outcome in outcomes.items() if isinstance(outcome, Retry)}, dependencies)
    deferred = [claim for claim, outcome in outcomes.items() if isinstance(outcome, Deferred)]
    await dependencies.work.defer(deferred, at=dependencies.clock.now() + RENEWAL_PAUSE)
    gone = [UUID(claim.stored.data_key_id) for claim, outcome in outcomes.items() if isinstance(outcome, Gone)]
    await purge.delete(subject, gone, dependencies)


def _count(outcomes: Iterable[Outcome], dependencies: Dependencies) -> None:
    for outcome in outcomes:
        match outcome:
            case AnalysisResult(outcome=Parked(reason=reason)):
                word: str = reason
            case AnalysisResult():
                word = "DONE"
            case _:
                word = type(outcome).__name__.upper()
        dependencies.measurements.measure(OUTCOMES, 1, {"outcome": word})


def _due(claim: Claim, dependencies: Dependencies) -> frozenset[Purpose]:
    return due_purposes(claim.stored.purpose, claim.made, dependencies.models)


async def _open_originals(
    subject: str, own: Purpose, claims: Sequence[Claim], dependencies: Dependencies
) -> dict[str, bytes]:
    try:
        return await dependencies.keyring.open(
            subject=subject, purpose=own, ids=[claim.stored.data_key_id for claim in claims]
        )
    except PurposeNotGranted:
        return {}


async def _known(
    subject: str, own: Purpose, everything: Sequence[GrantedKeys], dependencies: Dependencies
) -> dict[UUID, SceneFindings]:
    """Open what was found before in media of which only more is to be learnt."""
    media = [each.claim.stored.media for each in everything if own not in each.purposes and each.purposes]
    if not media:
        return {}
    rows = await dependencies.library.own_findings(media)
    ids = [str(row.data_key_id) for row in rows]
    opened = await dependencies.keyring.open(subject=subject, purpose=own, ids=ids)
    known: dict[UUID, SceneFindings] = {}
    for row in rows:
        id_ = str(row.data_key_id)
        record = load_scene(open_bytes(opened[id_], row.sealed, artefact_aad(id_, own))) if id_ in opened else None
        if isinstance(record, SceneFindings):
            known[row.media_id] = record
    return known


async def _attempt(granted: GrantedKeys, known: SceneFindings | None, dependencies: Dependencies) -> Outcome:
    """Analyse one media in its trace; a reason why nothing was found never takes the place of findings."""
    with work_span("analyze media", granted.claim.trace):
        outcome = await _try_to_analyze(granted, known, dependencies)
        trace = kept_trace()
    if (
        granted.claim.state is MediaState.DONE
        and isinstance(outcome, AnalysisResult)
        and isinstance(outcome.outcome, Parked)
    ):
        _log.warning("renewal_deferred", media=granted.claim.stored.name, reason=outcome.outcome.reason)
        return Deferred()
    return replace(outcome, trace=trace) if isinstance(outcome, AnalysisResult) else outcome


async def _try_to_analyze(granted: GrantedKeys, known: SceneFindings | None, dependencies: Dependencies) -> Outcome:
    """Make one attempt; every failure becomes an outcome of its own, so that none takes others along."""
    claim = granted.claim
    if claim.faults >= MAX_FAULTS:
        return AnalysisResult(
            granted, Parked(ParkedReason.GIVEN_UP, "it failed again and again; the log has the details")
        )
    try:
        return await _analyze_one(granted, known, dependencies)
    except PictureUnusable as error:
        return AnalysisResult(granted, Parked(error.reason, error.detail))
    except TensorRefused:
        return AnalysisResult(granted, Parked(ParkedReason.MODEL_REFUSED, "a model refuses it; send another copy"))
    except (ObjectMissing, SealBroken):
        return await _without_object(granted, dependencies)
    except PurposeNotGranted:
        return Gone()
    except (DependencyUnavailable, ModelUnavailable) as error:
        return _later(claim, error)
    except ModelMissing as error:
        _log.error("model_missing", model=error.model)  # an alarm, not a defect
        return Retry(LONGEST_DELAY)
    except ModelAnswerBroken as error:
        _log.error("model_answer_broken", model=error.model, media=claim.stored.name)
        return Retry(retry_delay(claim.attempts), fault=True)
    except Exception as error:  # noqa: BLE001  # the worker's outer wall: it is tried again, and parked in the end
        _log.error("analysis_failed", media=claim.stored.name, exc_info=error)
        return Retry(retry_delay(claim.attempts), fault=True)


async def _analyze_one(granted: GrantedKeys, known: SceneFindings | None, dependencies: Dependencies) -> Outcome:
    stored = granted.claim.stored
    if not granted.purposes:
        return AnalysisResult(granted, None)
    sealed = b"".join(
        await asyncio.gather(*(dependencies.objects.get(dependencies.buckets.media, name) for name in stored.objects))
    )
    key = await _original_key(granted.claim, dependencies)
    if key is None:
        return Gone()
    metadata = dependencies.read_metadata(open_bytes(key, stored.sealed_metadata, metadata_aad(stored.data_key_id)))
    aad = artefact_aad(stored.data_key_id, stored.purpose)
    data = await dependencies.vision.run(partial(open_object, key, sealed, aad))
    found = await analyze_picture(
        data,
        metadata,
        wanted=granted.purposes,
        own=stored.purpose,
        known=known,
        encoder=text_encoder(dependencies.models.scene.split(",")),
        vision=dependencies.vision,
    )
    return AnalysisResult(granted, found)


async def _original_key(claim: Claim, dependencies: Dependencies) -> bytes | None:
    """Return the key of the original: from memory as a rule, and never after a withdrawal."""
    id_ = claim.stored.data_key_id
    opened = await dependencies.keyring.open(subject=claim.stored.subject, purpose=claim.stored.purpose, ids=[id_])
    return opened.get(id_)


async def _without_object(granted: GrantedKeys, dependencies: Dependencies) -> Outcome:
    """Tells an erasure that is under way from an object that is missing or was tampered with."""
    try:
        if await _original_key(granted.claim, dependencies) is None:
            return Gone()
    except PurposeNotGranted:
        return Gone()
    except DependencyUnavailable as error:
        return _later(granted.claim, error)
    return AnalysisResult(
        granted, Parked(ParkedReason.OBJECT_BROKEN, "what was stored of it is damaged; send it again")
    )


def _later(claim: Claim, error: DependencyUnavailable | ModelUnavailable) -> Retry:
    delay = retry_delay(claim.attempts)
    return Retry(max(delay, error.retry_after or delay))


async def _give_up(outcomes: Mapping[Claim, Retry], dependencies: Dependencies) -> None:
    now = dependencies.clock.now()
    for retry in set(outcomes.values()):
        claims = [claim for claim, outcome in outcomes.items() if outcome == retry]
        await dependencies.work.release(claims, at=now + retry.after, fault=retry.fault)
