"""Consent: what was decided, by whom it may be decided, and where that leaves a purpose.

The states are those of ISO/IEC TS 27560 and the Data Privacy Vocabulary (https://w3id.org/dpv) that apply.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from services.keyring import Purpose


class Status(StrEnum):
    """Where a purpose stands for a person."""

    UNASKED = "UNASKED"
    GIVEN = "GIVEN"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    KEY_LOST = "KEY_LOST"


class EventType(StrEnum):
    """What happened to a consent."""

    GIVEN = "GIVEN"
    RENEWED = "RENEWED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    KEY_LOST = "KEY_LOST"

    @property
    def status(self) -> Status:
        """Where a purpose stands after it."""
        return Status.GIVEN if self is EventType.RENEWED else Status(self.value)


GRANTED = frozenset({EventType.GIVEN, EventType.RENEWED})
ENDED = frozenset({EventType.WITHDRAWN, EventType.EXPIRED, EventType.KEY_LOST})


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
    type: EventType
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

    def ended(self, now: datetime) -> Self:
        """Return where the purpose stands if it was withdrawn now; one that does not stand stays as it is."""
        if self.status is not Status.GIVEN:
            return self
        return replace(
            self,
            status=Status.WITHDRAWN,
            decide_time=now,
            expire_time=None,
            older_media_start_time=None,
        )


@dataclass(frozen=True)
class ConsentState:
    """Everything that holds for a person: a row for each purpose, in the order of the enum."""

    revision: int
    purposes: tuple[PurposeState, ...]

    def gives(self, purpose: Purpose) -> bool:
        """Tell whether a purpose stands."""
        return any(each.purpose is purpose and each.status is Status.GIVEN for each in self.purposes)

    def ended(self, now: datetime) -> Self:
        """Return the state in which everything that stood was withdrawn now."""
        return replace(self, purposes=tuple(each.ended(now) for each in self.purposes))
