"""What can be consented to, what was decided, and where that leaves a person: the words of this service.

The states are those of ISO/IEC TS 27560 and the Data Privacy Vocabulary (https://w3id.org/dpv) that apply.
"""

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class Purpose(StrEnum):
    """What a person may consent to. What has no member cannot be expressed and so cannot be granted."""

    CLOUD_PROCESSING = "CLOUD_PROCESSING"
    OLDER_MEDIA = "OLDER_MEDIA"
    LOCATION = "LOCATION"
    FACE_GROUPING = "FACE_GROUPING"
    GENERATIVE_EDITING = "GENERATIVE_EDITING"
    MODEL_IMPROVEMENT = "MODEL_IMPROVEMENT"


_ON_CLOUD_PROCESSING = frozenset({Purpose.CLOUD_PROCESSING})
NEEDS: Mapping[Purpose, frozenset[Purpose]] = MappingProxyType(
    {purpose: frozenset() if purpose is Purpose.CLOUD_PROCESSING else _ON_CLOUD_PROCESSING for purpose in Purpose}
)
"""Purposes that must stand for a purpose to stand."""


class Status(StrEnum):
    """Where a purpose stands for a person."""

    UNASKED = "UNASKED"
    GIVEN = "GIVEN"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    RENEWED = "RENEWED"


GRANTED = frozenset({Status.GIVEN, Status.RENEWED})
ENDED = frozenset({Status.WITHDRAWN, Status.EXPIRED})


class Choice(StrEnum):
    """What a person chose."""

    GRANT = "GRANT"
    REFUSE = "REFUSE"


class Basis(StrEnum):
    """How a region or an age was determined."""

    UNSPECIFIED = "UNSPECIFIED"
    SELF_DECLARED = "SELF_DECLARED"
    OPERATOR_DECLARED = "OPERATOR_DECLARED"
    NETWORK = "NETWORK"
    VERIFIED = "VERIFIED"


class AgeBand(StrEnum):
    """The band that an age lies in."""

    UNSPECIFIED = "UNSPECIFIED"
    MINOR = "MINOR"
    ADULT = "ADULT"


@dataclass(frozen=True)
class Jurisdiction:
    """Where a person is.

    Attributes:
        region_code: ISO 3166-1 country or ISO 3166-2 subdivision in upper case; empty if not known.
        basis: How that is known.
    """

    region_code: str = ""
    basis: Basis = Basis.UNSPECIFIED


@dataclass(frozen=True)
class Age:
    """How old a person is, and how that is known."""

    band: AgeBand = AgeBand.UNSPECIFIED
    basis: Basis = Basis.UNSPECIFIED


@dataclass(frozen=True)
class Decision:
    """One purpose decided; `older_media_start_time` only with a grant of OLDER_MEDIA."""

    purpose: Purpose
    choice: Choice
    older_media_start_time: datetime | None = None


@dataclass(frozen=True)
class ConsentEvent:
    """Something that was decided or that ran out; never changed afterwards.

    Attributes:
        revision: The person's revision that this event made.
        expire_time: When the grant ends by itself; None unless granted.
        notice: Digest of the notice; of an end, that of the grant that it ends.
        serving: The record of the notice having been shown; None for an end.
        jurisdiction: None for an end, which does not ask.
        age: None for an end.
        policy_sha256: Digest of the policy in force; empty for an end.
        cascade_of: The purpose whose end took this one along.
        request_id: The request that made the event; None if the clock did.
    """

    id: UUID
    revision: int
    purpose: Purpose
    status: Status
    event_time: datetime
    notice: str
    expire_time: datetime | None = None
    serving: UUID | None = None
    jurisdiction: Jurisdiction | None = None
    age: Age | None = None
    policy_sha256: str = ""
    cascade_of: Purpose | None = None
    older_media_start_time: datetime | None = None
    request_id: UUID | None = None


@dataclass(frozen=True)
class PurposeState:
    """Where one purpose stands; `end_pending` while its end is written down but its keys are not yet gone."""

    purpose: Purpose
    status: Status = Status.UNASKED
    decide_time: datetime | None = None
    expire_time: datetime | None = None
    notice: str = ""
    older_media_start_time: datetime | None = None
    end_pending: bool = False


@dataclass(frozen=True)
class ConsentState:
    """Everything that holds for a person: a row for each purpose, in the order of the enum."""

    revision: int
    purposes: tuple[PurposeState, ...]


@dataclass(frozen=True)
class NoticeServing:
    """A record that a notice was shown to a person, kept apart from what they chose."""

    id: UUID
    notice: str
    locale: str
    surface: str
    build: str
    rendered_sha256: str
    serve_time: datetime


class Standing:
    """What stands for a person at one moment, read from the newest event of each purpose."""

    def __init__(self, latest: Iterable[ConsentEvent], now: datetime) -> None:
        self._latest = {event.purpose: event for event in latest}
        self._now = now

    def event(self, purpose: Purpose) -> ConsentEvent | None:
        """Returns the newest event of a purpose."""
        return self._latest.get(purpose)

    def granted(self, purpose: Purpose) -> bool:
        """Tells whether the newest event is a grant, even one that has run out unnoticed."""
        event = self._latest.get(purpose)
        return event is not None and event.status in GRANTED

    def stands(self, purpose: Purpose) -> bool:
        """Tells whether a purpose may be used now: granted, not run out, and so all that it needs."""
        return self.granted(purpose) and not self._ran_out(purpose) and all(map(self.stands, NEEDS[purpose]))

    def lapsed(self) -> tuple[Purpose, ...]:
        """Returns the purposes whose newest event is a grant that stands no more."""
        return tuple(p for p in Purpose if self.granted(p) and not self.stands(p))

    def dependants(self, purpose: Purpose) -> tuple[Purpose, ...]:
        """Returns the granted purposes that fall when `purpose` does."""
        return tuple(p for p in Purpose if purpose in needs_of(p) and self.granted(p))

    def _end_time(self, purpose: Purpose) -> datetime | None:
        events = map(self._latest.get, {purpose} | needs_of(purpose))
        return min((e.expire_time for e in events if e is not None and e.expire_time is not None), default=None)

    def _ran_out(self, purpose: Purpose) -> bool:
        expire_time = self._latest[purpose].expire_time
        return expire_time is not None and expire_time <= self._now

    def state(self, *, revision: int, ending: frozenset[Purpose] = frozenset()) -> ConsentState:
        """Returns where every purpose stands; a grant that ran out shows as expired before its event is written."""
        return ConsentState(revision, tuple(self._purpose_state(p, p in ending) for p in Purpose))

    def _purpose_state(self, purpose: Purpose, ending: bool) -> PurposeState:
        event = self._latest.get(purpose)
        if event is None:
            return PurposeState(purpose)
        if event.status in GRANTED and not self.stands(purpose):
            return PurposeState(purpose, Status.EXPIRED, self._end_time(purpose), notice=event.notice)
        return PurposeState(
            purpose,
            event.status,
            event.event_time,
            event.expire_time,
            event.notice,
            event.older_media_start_time if event.status in GRANTED else None,
            end_pending=ending,
        )


def needs_of(purpose: Purpose) -> frozenset[Purpose]:
    """Returns everything that a purpose needs, directly or not."""
    return NEEDS[purpose].union(*map(needs_of, NEEDS[purpose]))


def with_dependants(purposes: Iterable[Purpose]) -> tuple[Purpose, ...]:
    """Returns purposes and everything that builds on them, in the order of the enum."""
    chosen = frozenset(purposes)
    return tuple(purpose for purpose in Purpose if purpose in chosen or needs_of(purpose) & chosen)


def add_months(moment: datetime, months: int) -> datetime:
    """Returns the same day and time `months` later, or the last day of a shorter month."""
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    last_day = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last_day))
