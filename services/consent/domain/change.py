"""Changes of consent: events that are planned together and become true together.

A change is planned as a whole, written down, turned into keys and only then made true. Of a change that was
interrupted, what narrows is completed and what widens is dropped: a person never ends up with a grant that was not
confirmed to them, nor keeps one that they took back.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.consent.domain.consent import ENDED, GRANTED, ConsentEvent
from services.consent.domain.standing import Standing
from services.keyring import Purpose


@dataclass(frozen=True)
class Request:
    """A call that changes something, as far as it must be recognised when it comes again.

    Attributes:
        id: Chosen by the caller.
        sha256: Digest, in hex, of all that the call asks for.
    """

    id: UUID
    sha256: str


@dataclass(frozen=True)
class Change:
    """Events planned together.

    Attributes:
        begin_time: When it was planned.
        revision: The highest revision that it uses, though none of its events may bear it.
        events: In order of their revisions.
        closes: Purposes whose keys must be gone before the change is true, granted or not.
        request: The call that asked for it; None if the clock did.
    """

    begin_time: datetime
    revision: int
    events: tuple[ConsentEvent, ...]
    closes: tuple[Purpose, ...]
    request: Request | None = None

    @property
    def grants(self) -> tuple[ConsentEvent, ...]:
        """The events that need a key."""
        return tuple(event for event in self.events if event.type in GRANTED)

    @property
    def ends(self) -> tuple[ConsentEvent, ...]:
        """The events that take something away."""
        return tuple(event for event in self.events if event.type in ENDED)

    def absorbing(self, interrupted: "Change", standing: Standing) -> "Change":
        """Return this change with the rest of an interrupted one: what that one ends, and its grants undone.

        `standing` is what stood before the interrupted change.
        """
        undone = [event.purpose for event in interrupted.grants if not standing.granted(event.purpose)]
        return replace(
            self,
            events=interrupted.ends + self.events,
            closes=tuple(dict.fromkeys([*interrupted.closes, *undone, *self.closes])),
        )

    def moved_past(self, revision: int) -> "Change":
        """Return it with revisions that are all higher than one: later decisions are known than these books have."""
        lowest = min((event.revision for event in self.events), default=self.revision)
        shift = max(0, revision + 1 - lowest)
        events = tuple(replace(event, revision=event.revision + shift) for event in self.events)
        return replace(self, revision=self.revision + shift, events=events)

    def without_grants(self) -> "Change":
        """Return what is left of it after an interruption; its request stays unanswered if anything is dropped."""
        return replace(self, events=self.ends, request=None) if self.grants else self
