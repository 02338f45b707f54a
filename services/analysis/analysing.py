"""The worker's use case: media of one person, from sealed originals to sealed findings."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TypeAlias
from uuid import UUID

import structlog

from services.analysis import keys, vanishing
from services.analysis.domain import (
    LONGEST_DELAY,
    MAX_FAULTS,
    RENEWAL_PAUSE,
    Claim,
    MediaState,
    ParkedReason,
    Purpose,
    due_purposes,
    retry_delay,
)
from services.analysis.errors import ModelAnswerBroken, ModelMissing, ModelUnavailable, PictureUnusable, TensorRefused
from services.analysis.findings import Parked, Seen
from services.analysis.keys import Allowed, Wish
from services.analysis.records import load_seen, metadata_aad, record_aad
from services.analysis.storing import Result, store_results
from services.analysis.tools import Tools
from services.analysis.understanding import understand
from services.analysis.wording import text_encoder
from services.chassis.errors import DependencyUnavailable, DomainError, Status
from services.chassis.object_store import ObjectMissing
from services.chassis.seal import SealBroken, open_bytes, open_object
from services.keyring import PurposeNotGranted

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Gone:
    """The media can no longer be opened: it was erased, or its purpose withdrawn."""


@dataclass(frozen=True)
class Again:
    """Nothing came of it this time.

    Attributes:
        after: When to try again at the earliest.
        fault: Whether no outage explains it.
    """

    after: timedelta
    fault: bool = False


@dataclass(frozen=True)
class Kept:
    """Nothing came of it, and it has findings by other models: they serve on."""


Outcome: TypeAlias = Result | Gone | Again | Kept


async def analyse(claims: Sequence[Claim], tools: Tools) -> None:
    """Understands media of one person that are kept for one purpose, all at the same time.

    Whatever happens, every claim is settled, given up, or its media deleted.

    Args:
        claims: At least one; of one subject and purpose.
        tools: What it is done with.
    """
    try:
        await _analyse(claims, tools)
    except DomainError as error:
        fault = error.status is not Status.UNAVAILABLE
        _log.warning("analysis_waits", reason=error.reason)
        await _give_up({claim: Again(retry_delay(claim.attempts), fault) for claim in claims}, tools)
    except asyncio.CancelledError:
        # Stopped by a withdrawal or by the end of the process: others may go on at once.
        await asyncio.shield(tools.work.release(claims, at=tools.clock.now(), fault=False))
        raise


async def _analyse(claims: Sequence[Claim], tools: Tools) -> None:
    subject, own = claims[0].stored.subject, claims[0].stored.purpose
    originals = await _open_originals(subject, own, claims, tools)
    wishes = [Wish(claim, _due(claim, tools)) for claim in claims if claim.stored.data_key_id in originals]
    answer = await keys.ask(subject, own, wishes, keyring=tools.keyring, clock=tools.clock)
    known = await _known(subject, own, answer.allowed, tools)
    outcomes = await asyncio.gather(
        *(_attempt(allowed, known.get(allowed.claim.stored.media), tools) for allowed in answer.allowed)
    )
    done = dict(zip((allowed.claim for allowed in answer.allowed), outcomes, strict=True))
    await _conclude(subject, claims, done, tools)


async def _conclude(subject: str, claims: Sequence[Claim], done: Mapping[Claim, Outcome], tools: Tools) -> None:
    """Ends every claim in its way; those that nothing is said of have lost their media."""
    outcomes = {claim: done.get(claim, Gone()) for claim in claims}
    await store_results([outcome for outcome in outcomes.values() if isinstance(outcome, Result)], tools)
    await _give_up({claim: outcome for claim, outcome in outcomes.items() if isinstance(outcome, Again)}, tools)
    kept = [claim for claim, outcome in outcomes.items() if isinstance(outcome, Kept)]
    await tools.work.defer(kept, at=tools.clock.now() + RENEWAL_PAUSE)
    gone = [claim.stored.media for claim, outcome in outcomes.items() if isinstance(outcome, Gone)]
    await vanishing.delete(subject, gone, tools)


def _due(claim: Claim, tools: Tools) -> frozenset[Purpose]:
    return due_purposes(claim.stored.purpose, claim.made, tools.models)


async def _open_originals(subject: str, own: Purpose, claims: Sequence[Claim], tools: Tools) -> dict[str, bytes]:
    try:
        return await tools.keyring.open(
            subject=subject, purpose=own, ids=[claim.stored.data_key_id for claim in claims]
        )
    except PurposeNotGranted:
        return {}


async def _known(subject: str, own: Purpose, everything: Sequence[Allowed], tools: Tools) -> dict[UUID, Seen]:
    """Opens what was seen before in media of which only more is to be learnt."""
    media = [each.claim.stored.media for each in everything if own not in each.purposes and each.purposes]
    if not media:
        return {}
    rows = await tools.library.own_findings(media)
    ids = [str(row.data_key_id) for row in rows]
    opened = await tools.keyring.open(subject=subject, purpose=own, ids=ids)
    known: dict[UUID, Seen] = {}
    for row in rows:
        id_ = str(row.data_key_id)
        record = load_seen(open_bytes(opened[id_], row.sealed, record_aad(id_, own))) if id_ in opened else None
        if isinstance(record, Seen):
            known[row.media_id] = record
    return known


async def _attempt(allowed: Allowed, known: Seen | None, tools: Tools) -> Outcome:
    """Understands one media; a reason why nothing was found never takes the place of findings."""
    outcome = await _try_to_understand(allowed, known, tools)
    if allowed.claim.state is MediaState.DONE and isinstance(outcome, Result) and isinstance(outcome.outcome, Parked):
        _log.warning("renewal_deferred", media=allowed.claim.stored.name, reason=outcome.outcome.reason)
        return Kept()
    return outcome


async def _try_to_understand(allowed: Allowed, known: Seen | None, tools: Tools) -> Outcome:
    """Makes one attempt; every failure becomes an outcome of its own, so that none takes others along."""
    claim = allowed.claim
    if claim.faults >= MAX_FAULTS:
        return Result(allowed, Parked(ParkedReason.GIVEN_UP, "it failed again and again; the log has the details"))
    try:
        return await _understand(allowed, known, tools)
    except PictureUnusable as error:
        return Result(allowed, Parked(error.reason, error.detail))
    except TensorRefused:
        return Result(allowed, Parked(ParkedReason.MODEL_REFUSED, "a model refuses it; send another copy"))
    except (ObjectMissing, SealBroken):
        return await _without_object(allowed, tools)
    except PurposeNotGranted:
        return Gone()
    except (DependencyUnavailable, ModelUnavailable) as error:
        return _later(claim, error)
    except ModelMissing as error:
        _log.error("model_missing", model=error.model)  # an alarm, not a defect
        return Again(LONGEST_DELAY)
    except ModelAnswerBroken as error:
        _log.error("model_answer_broken", model=error.model, media=claim.stored.name)
        return Again(retry_delay(claim.attempts), fault=True)
    except Exception as error:  # noqa: BLE001  # the worker's outer wall: it is tried again, and parked in the end
        _log.error("analysis_failed", media=claim.stored.name, exc_info=error)
        return Again(retry_delay(claim.attempts), fault=True)


async def _understand(allowed: Allowed, known: Seen | None, tools: Tools) -> Outcome:
    stored = allowed.claim.stored
    if not allowed.purposes:
        return Result(allowed, None)
    sealed = b"".join(await asyncio.gather(*(tools.objects.get(tools.buckets.media, name) for name in stored.objects)))
    key = await _original_key(allowed.claim, tools)
    if key is None:
        return Gone()
    metadata = tools.read_metadata(open_bytes(key, stored.sealed_metadata, metadata_aad(stored.data_key_id)))
    aad = record_aad(stored.data_key_id, stored.purpose)
    data = await tools.eyes.run(partial(open_object, key, sealed, aad))
    understood = await understand(
        data,
        metadata,
        wanted=allowed.purposes,
        own=stored.purpose,
        known=known,
        encoder=text_encoder(tools.models.seen.split(",")),
        eyes=tools.eyes,
    )
    return Result(allowed, understood)


async def _original_key(claim: Claim, tools: Tools) -> bytes | None:
    """Returns the key of the original: from memory as a rule, and never after a withdrawal."""
    id_ = claim.stored.data_key_id
    opened = await tools.keyring.open(subject=claim.stored.subject, purpose=claim.stored.purpose, ids=[id_])
    return opened.get(id_)


async def _without_object(allowed: Allowed, tools: Tools) -> Outcome:
    """Tells an erasure that is under way from an object that is missing or was tampered with."""
    try:
        if await _original_key(allowed.claim, tools) is None:
            return Gone()
    except PurposeNotGranted:
        return Gone()
    except DependencyUnavailable as error:
        return _later(allowed.claim, error)
    return Result(allowed, Parked(ParkedReason.OBJECT_BROKEN, "what was stored of it is damaged; send it again"))


def _later(claim: Claim, error: DependencyUnavailable | ModelUnavailable) -> Again:
    delay = retry_delay(claim.attempts)
    return Again(max(delay, error.retry_after or delay))


async def _give_up(outcomes: Mapping[Claim, Again], tools: Tools) -> None:
    now = tools.clock.now()
    for again in set(outcomes.values()):
        claims = [claim for claim, outcome in outcomes.items() if outcome == again]
        await tools.work.release(claims, at=now + again.after, fault=again.fault)
