"""What the consent service does for a person, without a word about gRPC or SQL."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.consent.decisions import Change, Request, Terms, plan_decision, plan_withdrawal
from services.consent.domain import (
    Age,
    Choice,
    ConsentEvent,
    ConsentState,
    Decision,
    Jurisdiction,
    Purpose,
    Standing,
)
from services.consent.errors import (
    NoticeNotServed,
    NoticeSuperseded,
    NoticeUnknown,
    PurposeNotAvailable,
    RequestIdReused,
    SubjectErased,
)
from services.consent.policy import Policy
from services.consent.ports import ChangeFeed, ConsentStore, GivenAnswer, History, Ledger, NoticeStore, PurposeKeys
from services.consent.settlement import carry_out, end_interrupted, settle
from services.keyring.errors import GrantStale, PersonErased


@dataclass(frozen=True)
class Asked:
    """What a person asks to be decided."""

    request: Request
    notice: str
    serving: UUID
    decisions: tuple[Decision, ...]
    jurisdiction: Jurisdiction
    age: Age


@dataclass(frozen=True)
class Answer:
    """What holds after a change, and the events that it made."""

    state: ConsentState
    events: tuple[ConsentEvent, ...]


async def decide(
    asked: Asked,
    *,
    subject: str,
    store: ConsentStore,
    notices: NoticeStore,
    policy: Policy,
    keys: PurposeKeys,
    clock: Clock,
) -> Answer:
    """Decides purposes; a grant has its key when this returns.

    Raises:
        NoticeUnknown, NoticeSuperseded, NoticeNotServed: the terms are not what they must be.
        PurposeNotAvailable, PurposeNeedsAnother: a grant is not possible.
        RequestIdReused: the request id belongs to another request.
        SubjectErased: the person was erased while this was on its way.
        DependencyUnavailable: the key service does not answer; nothing is granted.
    """
    # Before the lock: a call that waits for its turn holds one connection, and must not need a second one inside.
    if given := await store.given_answer(subject, asked.request.id):
        return _again(given, asked.request)
    terms = await _terms(asked, subject=subject, notices=notices, policy=policy)

    def plan(history: History, revision: int) -> Change:
        now = clock.now()
        standing = Standing(history.latest, now)
        return plan_decision(standing, asked.decisions, terms, request=asked.request, revision=revision, now=now)

    async with store.locked(subject) as ledger:
        try:
            await settle(ledger, subject=subject, keys=keys, clock=clock)
            if given := await ledger.given_answer(asked.request.id):
                return _again(given, asked.request)
            return await _change(ledger, plan, subject=subject, keys=keys)
        except DependencyUnavailable as error:
            raise _key_service_silent("nothing is granted") from error


async def withdraw(
    request: Request,
    purposes: Sequence[Purpose],
    *,
    subject: str,
    store: ConsentStore,
    keys: PurposeKeys,
    clock: Clock,
) -> Answer:
    """Withdraws purposes and all that build on them; their keys are destroyed when this returns.

    It is written down whatever state an earlier change was left in: nothing stands in the way of a withdrawal.

    Raises:
        RequestIdReused: the request id belongs to another request.
        DependencyUnavailable: the key service does not answer; the withdrawal is written down and will be done.
    """
    async with store.locked(subject) as ledger:
        if given := await ledger.given_answer(request.id):
            return _again(given, request)
        change = _withdrawal(await ledger.history(), request, purposes, clock.now())
        try:
            await carry_out(ledger, change, subject=subject, keys=keys)
        except DependencyUnavailable as error:
            raise _key_service_silent(
                "the withdrawal is written down and is carried out as soon as it answers"
            ) from error
        return _answer(await ledger.history(), change)


def _withdrawal(history: History, request: Request, purposes: Sequence[Purpose], now: datetime) -> Change:
    pending = history.pending
    if pending is None:
        standing = Standing(history.latest, now)
        return plan_withdrawal(standing, purposes, request=request, revision=history.revision, now=now)
    if pending.request is not None and pending.request.id == request.id:
        _check_same(pending.request, request)
    before = Standing(history.latest, now)
    standing = Standing((*history.latest, *pending.ends), now)
    change = plan_withdrawal(standing, purposes, request=request, revision=history.revision, now=now)
    return change.absorbing(pending, before)


async def state(*, subject: str, store: ConsentStore, clock: Clock) -> ConsentState:
    """Returns where every purpose stands now."""
    return _state(await store.history(subject), clock.now())


async def watch(
    *, subject: str, store: ConsentStore, feed: ChangeFeed, clock: Clock
) -> AsyncGenerator[ConsentState, None]:
    """Yields where every purpose stands, now and after every change."""
    async with feed.of(subject) as changes:
        shown = None
        while True:
            now = await state(subject=subject, store=store, clock=clock)
            if now != shown:
                yield now
                shown = now
            await changes.next()


def _again(given: GivenAnswer, request: Request) -> Answer:
    _check_same(given.request, request)
    revision = max((event.revision for event in given.latest), default=0)
    return Answer(Standing(given.latest, given.answer_time).state(revision=revision), given.events)


def _check_same(first: Request, again: Request) -> None:
    if first.sha256 != again.sha256:
        raise RequestIdReused.of(again.id)


def _key_service_silent(meanwhile: str) -> DependencyUnavailable:
    return DependencyUnavailable(
        f"the key service does not answer: {meanwhile}; call again to be told",
        metadata={"dependency": "retention"},
        retry_after=timedelta(seconds=1),
    )


async def _terms(asked: Asked, *, subject: str, notices: NoticeStore, policy: Policy) -> Terms:
    """Returns the terms of a decision once they are found good."""
    published = await notices.notice(asked.notice)
    if published is None:
        raise NoticeUnknown.of(asked.notice)
    grants = [decision.purpose for decision in asked.decisions if decision.choice is Choice.GRANT]
    if grants and not published.current:
        raise NoticeSuperseded.by((await notices.current()).notice.digest)
    serving = await notices.serving(subject, asked.serving)
    if serving is None or serving.notice != asked.notice:
        raise NoticeNotServed.of(asked.notice)
    for purpose in grants:
        _check_offered(purpose, asked, policy)
    return Terms(
        notice=asked.notice,
        serving=asked.serving,
        jurisdiction=asked.jurisdiction,
        age=asked.age,
        validity_months=published.notice.validity_months,
        policy_sha256=policy.sha256,
    )


def _check_offered(purpose: Purpose, asked: Asked, policy: Policy) -> None:
    answer = policy.available(purpose, asked.jurisdiction, asked.age)
    if not answer.available:
        raise PurposeNotAvailable.of(purpose, answer.reason, answer.remedy, asked.jurisdiction, asked.age)


async def _change(ledger: Ledger, plan: Callable[[History, int], Change], *, subject: str, keys: PurposeKeys) -> Answer:
    """Plans and carries out; once more if the key service knows of later revisions than these books do."""
    history = await ledger.history()
    change = plan(history, history.revision)
    try:
        await carry_out(ledger, change, subject=subject, keys=keys)
    except GrantStale as stale:
        await end_interrupted(ledger, change, history, subject=subject, keys=keys, now=change.begin_time)
        history = await ledger.history()
        change = plan(history, max(history.revision, int(stale.metadata.get("current", "0"))))
        await carry_out(ledger, change, subject=subject, keys=keys)
    except PersonErased as erased:
        await end_interrupted(ledger, change, history, subject=subject, keys=keys, now=change.begin_time)
        raise SubjectErased.during_request() from erased
    return _answer(await ledger.history(), change)


def _answer(history: History, change: Change) -> Answer:
    request_id = None if change.request is None else change.request.id
    events = tuple(event for event in change.events if event.request_id == request_id)
    return Answer(_state(history, change.begin_time), events)


def _state(history: History, now: datetime) -> ConsentState:
    revision = max((event.revision for event in history.latest), default=0)
    ending = frozenset(history.pending.closes) if history.pending else frozenset()
    return Standing(history.latest, now).state(revision=revision, ending=ending)
