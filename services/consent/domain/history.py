"""History of a person's consent, and the results that their requests had."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from services.consent.domain.change import Change, Request
from services.consent.domain.consent import ConsentEvent, ConsentState
from services.consent.domain.standing import Standing
from services.consent.errors import RequestIdReused


@dataclass(frozen=True)
class History:
    """What is written down about a person.

    Attributes:
        revision: The highest revision given out, also to changes that were dropped; 0 for a person unknown.
        latest: The newest event of each purpose.
        pending: A change that was begun and not finished.
    """

    revision: int = 0
    latest: tuple[ConsentEvent, ...] = ()
    pending: Change | None = None

    def state(self, now: datetime) -> ConsentState:
        """Return where every purpose stands at a time."""
        ending = frozenset(self.pending.closes) if self.pending else frozenset()
        return Standing(self.latest, now).state(revision=_newest(self.latest), ending=ending)


@dataclass(frozen=True)
class RecordedResult:
    """What a request was answered when it came first.

    Attributes:
        answer_time: When.
        events: The events that it made.
        latest: The newest event of each purpose at that moment.
    """

    request: Request
    answer_time: datetime
    events: tuple[ConsentEvent, ...]
    latest: tuple[ConsentEvent, ...]


@dataclass(frozen=True)
class DecisionResult:
    """What holds after a change, and the events that it made."""

    state: ConsentState
    events: tuple[ConsentEvent, ...]

    @classmethod
    def of(cls, history: History, change: Change) -> Self:
        """Return the result of a change that has become true."""
        request_id = None if change.request is None else change.request.id
        events = tuple(event for event in change.events if event.request_id == request_id)
        return cls(history.state(change.begin_time), events)

    @classmethod
    def again(cls, recorded: RecordedResult, request: Request) -> Self:
        """Return the result that a request had when it came first.

        Raises:
            RequestIdReused: it was another request.
        """
        check_same(recorded.request, request)
        standing = Standing(recorded.latest, recorded.answer_time)
        return cls(standing.state(revision=_newest(recorded.latest)), recorded.events)


def check_same(first: Request, again: Request) -> None:
    """Let a repetition pass that asks for the same.

    Raises:
        RequestIdReused: it asks for something else.
    """
    if first.sha256 != again.sha256:
        raise RequestIdReused.of(again.id)


def _newest(latest: tuple[ConsentEvent, ...]) -> int:
    return max((event.revision for event in latest), default=0)
