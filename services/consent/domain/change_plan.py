"""Planner of changes: from what a person asks for, or from time, to the events that it makes."""

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from services.consent.domain.change import Change, Request
from services.consent.domain.consent import ENDED, Age, Choice, ConsentEvent, Decision, EventType, Jurisdiction
from services.consent.domain.needs import NEEDS, with_dependants
from services.consent.domain.standing import Standing
from services.consent.errors import PurposeNeedsAnother
from services.keyring import Purpose


@dataclass(frozen=True)
class Terms:
    """Under what a decision is made.

    Attributes:
        notice: Digest of the notice.
        serving: The record of it having been shown.
        validity_months: How long a grant is valid, by purpose, as the notice says.
        policy_sha256: Digest of the policy in force.
    """

    notice: str
    serving: UUID
    jurisdiction: Jurisdiction
    age: Age
    validity_months: Mapping[Purpose, int]
    policy_sha256: str


def check_needs(standing: Standing, decisions: Sequence[Decision]) -> None:
    """Lets grants pass whose needs stand after the decisions.

    Raises:
        PurposeNeedsAnother: a grant builds on a purpose that stands neither before nor by this decision.
    """
    chosen = {decision.purpose: decision.choice for decision in decisions}
    for decision in decisions:
        if decision.choice is Choice.GRANT:
            for need in NEEDS[decision.purpose]:
                if not _will_stand(need, standing, chosen):
                    raise PurposeNeedsAnother.of(decision.purpose, need)


def _will_stand(purpose: Purpose, standing: Standing, chosen: Mapping[Purpose, Choice]) -> bool:
    choice = chosen.get(purpose)
    return standing.stands(purpose) if choice is None else choice is Choice.GRANT


@dataclass
class _Planner:
    """A change in the making: gives out revisions in order and ends nothing twice."""

    standing: Standing
    revision: int
    now: datetime
    request_id: UUID | None
    events: list[ConsentEvent] = field(default_factory=list)

    def decide(self, decision: Decision, terms: Terms) -> ConsentEvent:
        event = ConsentEvent(
            id=uuid4(),
            revision=self._next_revision(),
            purpose=decision.purpose,
            type=self._type(decision),
            event_time=self.now,
            notice=terms.notice,
            expire_time=_expire_time(decision, terms, self.now),
            serving=terms.serving,
            jurisdiction=terms.jurisdiction,
            age=terms.age,
            policy_sha256=terms.policy_sha256,
            older_media_start_time=decision.older_media_start_time,
            request_id=self.request_id,
        )
        self.events.append(event)
        return event

    def end(self, purpose: Purpose, kind: EventType, *, cascade_of: Purpose | None = None) -> None:
        grant = self.standing.event(purpose)
        if grant is None or any(event.purpose is purpose for event in self.events):
            return
        event = ConsentEvent(
            id=uuid4(),
            revision=self._next_revision(),
            purpose=purpose,
            type=kind,
            event_time=self.now,
            notice=grant.notice,
            cascade_of=cascade_of,
            request_id=self.request_id,
        )
        self.events.append(event)

    def cascade(self, purpose: Purpose, kind: EventType, *, spare: frozenset[Purpose] = frozenset()) -> None:
        for dependant in self.standing.dependants(purpose):
            if dependant not in spare:
                self.end(dependant, kind, cascade_of=purpose)

    def _type(self, decision: Decision) -> EventType:
        granted = self.standing.granted(decision.purpose)
        if decision.choice is Choice.GRANT:
            return EventType.RENEWED if granted else EventType.GIVEN
        return EventType.WITHDRAWN if granted else EventType.REFUSED

    def _next_revision(self) -> int:
        self.revision += 1
        return self.revision

    def change(self, request: Request | None, *, closes: Iterable[Purpose] = ()) -> Change:
        ended = [event.purpose for event in self.events if event.type in ENDED]
        return Change(
            begin_time=self.now,
            revision=self.revision,
            events=tuple(self.events),
            closes=tuple(dict.fromkeys([*closes, *ended])),
            request=request,
        )


def _expire_time(decision: Decision, terms: Terms, now: datetime) -> datetime | None:
    if decision.choice is Choice.REFUSE:
        return None
    return add_months(now, terms.validity_months[decision.purpose])


def plan_decision(
    standing: Standing,
    decisions: Sequence[Decision],
    terms: Terms,
    *,
    request: Request,
    revision: int,
    now: datetime,
) -> Change:
    """Return the events of a decision, in its order, cascades after what caused them.

    Args:
        standing: What stands before; nothing in it has run out unnoticed.
        decisions: Each purpose at most once.
        terms: Notice, policy, region and age.
        request: The call.
        revision: The highest revision that was given out before.
        now: The time of the decision.

    Raises:
        PurposeNeedsAnother: a grant would stand on nothing.
    """
    check_needs(standing, decisions)
    named = frozenset(decision.purpose for decision in decisions)
    planner = _Planner(standing, revision, now, request.id)
    for decision in decisions:
        if planner.decide(decision, terms).type is EventType.WITHDRAWN:
            planner.cascade(decision.purpose, EventType.WITHDRAWN, spare=named)
    ended = [event.purpose for event in planner.events if event.type in ENDED]
    return planner.change(request, closes=with_dependants(ended))


def plan_withdrawal(
    standing: Standing, purposes: Iterable[Purpose], *, request: Request, revision: int, now: datetime
) -> Change:
    """Return the withdrawal of purposes and of all that build on them.

    What is not granted makes no event, but its key is closed all the same: a withdrawal never relies on this
    service's own books. It uses a revision of its own even without an event.
    """
    planner = _Planner(standing, revision, now, request.id)
    chosen = tuple(purposes)
    for purpose in chosen:
        if standing.granted(purpose):
            kind = EventType.WITHDRAWN if standing.stands(purpose) else EventType.EXPIRED
            planner.end(purpose, kind)
            planner.cascade(purpose, kind, spare=frozenset(chosen))
    planner.revision = max(planner.revision, revision + 1)
    return planner.change(request, closes=with_dependants(chosen))


def plan_expiry(standing: Standing, *, revision: int, now: datetime) -> Change:
    """Return the end of every grant that has run out, and of what built on it."""
    planner = _Planner(standing, revision, now, None)
    lapsed = standing.lapsed()
    for purpose in lapsed:
        cause = next((need for need in NEEDS[purpose] if need in lapsed), None)
        planner.end(purpose, EventType.EXPIRED, cascade_of=cause)
    return planner.change(None)


def plan_end(
    standing: Standing, purposes: Iterable[Purpose], kind: EventType, *, revision: int, now: datetime
) -> Change:
    """Return the end of grants that no call asked for, and of what built on them: an erasure, or a lost key."""
    planner = _Planner(standing, revision, now, None)
    ended = tuple(purposes)
    for purpose in ended:
        planner.end(purpose, kind)
        planner.cascade(purpose, kind, spare=frozenset(ended))
    return planner.change(None)


def add_months(moment: datetime, months: int) -> datetime:
    """Return the same day and time `months` later, or the last day of a shorter month."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))
