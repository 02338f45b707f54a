"""Decisions: a person grants and refuses purposes under a notice that they were shown."""

from dataclasses import dataclass
from uuid import UUID

from services.chassis.errors import DependencyUnavailable
from services.chassis.limits.allowance import DAY
from services.consent.domain.change import Change, Request
from services.consent.domain.change_plan import Terms, plan_decision
from services.consent.domain.consent import Age, Choice, Decision, Jurisdiction
from services.consent.domain.history import DecisionResult, History
from services.consent.domain.notice import PublishedNotice
from services.consent.domain.standing import Standing
from services.consent.errors import (
    KeyServiceSilent,
    NoticeNotServed,
    NoticeSuperseded,
    NoticeUnknown,
    PurposeNotAvailable,
    SubjectErased,
)
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.reconcile import carry_out, end_interrupted, reconcile
from services.consent.ports import Ledger
from services.keyring import Purpose
from services.keyring.errors import GrantStale, PersonErased


@dataclass(frozen=True)
class DecisionRequest:
    """What a person asks to be decided."""

    request: Request
    notice: str
    serving: UUID
    decisions: tuple[Decision, ...]
    jurisdiction: Jurisdiction
    age: Age

    @property
    def grants(self) -> tuple[Purpose, ...]:
        """The purposes to be granted."""
        return tuple(decision.purpose for decision in self.decisions if decision.choice is Choice.GRANT)


async def decide(wanted: DecisionRequest, subject: str, dependencies: Dependencies) -> DecisionResult:
    """Decide purposes; a grant has its key when this returns.

    Raises:
        NoticeUnknown, NoticeSuperseded, NoticeNotServed: the terms are not what they must be.
        PurposeNotAvailable, PurposeNeedsAnother: a grant is not possible.
        RequestIdReused: the request id belongs to another request.
        LimitReached: the person has decided too often today.
        SubjectErased: the person was erased while this was on its way.
        KeyServiceSilent: the key service does not answer; nothing is granted.
    """
    # Before the lock: a call that waits for its turn holds one connection, and must not need a second one inside.
    if recorded := await dependencies.store.recorded_result(subject, wanted.request.id):
        return DecisionResult.again(recorded, wanted.request)
    terms = await _terms(wanted, subject, dependencies)
    async with dependencies.store.locked(subject) as ledger:
        try:
            await reconcile(ledger, subject, dependencies)
            if recorded := await ledger.recorded_result(wanted.request.id):
                return DecisionResult.again(recorded, wanted.request)
            await _check_day(ledger, dependencies)
            return await _change(ledger, wanted, terms, subject, dependencies)
        except DependencyUnavailable as error:
            raise KeyServiceSilent.for_grant() from error


async def _terms(wanted: DecisionRequest, subject: str, dependencies: Dependencies) -> Terms:
    """Return the terms of a decision once they are found good."""
    published = await _served_notice(wanted, subject, dependencies)
    for purpose in wanted.grants:
        _check_offered(purpose, wanted, dependencies)
    return Terms(
        notice=wanted.notice,
        serving=wanted.serving,
        jurisdiction=wanted.jurisdiction,
        age=wanted.age,
        validity_months=published.notice.validity_months,
        policy_sha256=dependencies.policy.sha256,
    )


async def _served_notice(wanted: DecisionRequest, subject: str, dependencies: Dependencies) -> PublishedNotice:
    published = await dependencies.notices.notice(wanted.notice)
    if published is None:
        raise NoticeUnknown.of(wanted.notice)
    if wanted.grants and not published.current:
        raise NoticeSuperseded.by((await dependencies.notices.current()).notice.digest)
    serving = await dependencies.notices.serving(subject, wanted.serving)
    if serving is None or serving.notice != wanted.notice:
        raise NoticeNotServed.of(wanted.notice)
    return published


def _check_offered(purpose: Purpose, wanted: DecisionRequest, dependencies: Dependencies) -> None:
    found = dependencies.policy.available(purpose, wanted.jurisdiction, wanted.age)
    if not found.available:
        raise PurposeNotAvailable.of(purpose, found.reason_text, found.remedy_text, wanted.jurisdiction, wanted.age)


async def _check_day(ledger: Ledger, dependencies: Dependencies) -> None:
    """Count what was answered in the last 24 hours, by any process: withdrawals count, and are never refused."""
    limit, now = dependencies.decisions_a_day, dependencies.clock.now()
    limit.check(await ledger.answer_times(since=now - DAY, limit=limit.most), now)


async def _change(
    ledger: Ledger, wanted: DecisionRequest, terms: Terms, subject: str, dependencies: Dependencies
) -> DecisionResult:
    """Plan and carry out; once more if the key service knows of later revisions than these books do."""
    history = await ledger.history()
    change = _plan(wanted, terms, history, history.revision, dependencies)
    try:
        change = await carry_out(ledger, change, subject, dependencies)
    except GrantStale as stale:
        await end_interrupted(ledger, change, history, subject, dependencies, now=change.begin_time)
        history = await ledger.history()
        known = max(history.revision, int(stale.metadata.get("current", "0")))
        change = _plan(wanted, terms, history, known, dependencies)
        change = await carry_out(ledger, change, subject, dependencies)
    except PersonErased as erased:
        await end_interrupted(ledger, change, history, subject, dependencies, now=change.begin_time)
        raise SubjectErased.during_request() from erased
    return DecisionResult.of(await ledger.history(), change)


def _plan(wanted: DecisionRequest, terms: Terms, history: History, revision: int, dependencies: Dependencies) -> Change:
    now = dependencies.clock.now()
    standing = Standing(history.latest, now)
    return plan_decision(standing, wanted.decisions, terms, request=wanted.request, revision=revision, now=now)
