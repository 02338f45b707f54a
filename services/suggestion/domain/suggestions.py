"""Suggestions: what is offered, where it stands in its life, and what its owner decides about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.keyring import Purpose


class Kind(StrEnum):
    """Kind of a suggestion; the names of `SuggestionKind`."""

    COLLAGE = "COLLAGE"
    THEME = "THEME"
    HIDDEN_GEM = "HIDDEN_GEM"
    TIDY_UP = "TIDY_UP"
    RECAP = "RECAP"
    RESTYLE = "RESTYLE"


class State(StrEnum):
    """Where a suggestion stands in its life; the names of `SuggestionState`."""

    READY = "READY"
    SEEN = "SEEN"
    SAVED = "SAVED"
    DISMISSED = "DISMISSED"
    EXPIRED = "EXPIRED"


class Decision(StrEnum):
    """What its owner can decide about a suggestion."""

    SAVE = "save"
    DISMISS = "dismiss"
    RESTORE = "restore"


_NEXT: Mapping[tuple[State, Decision], State] = {
    (State.READY, Decision.SAVE): State.SAVED,
    (State.SEEN, Decision.SAVE): State.SAVED,
    (State.SAVED, Decision.SAVE): State.SAVED,
    (State.READY, Decision.DISMISS): State.DISMISSED,
    (State.SEEN, Decision.DISMISS): State.DISMISSED,
    (State.SAVED, Decision.DISMISS): State.DISMISSED,
    (State.DISMISSED, Decision.DISMISS): State.DISMISSED,
}


@dataclass(frozen=True)
class Standing:
    """Where a suggestion stands, and, once it is dismissed, where it stood before."""

    state: State
    before_dismissal: State | None = None


def after(standing: Standing, decision: Decision) -> Standing | None:
    """Return where a decision leads; nothing if the life cycle does not allow it."""
    if decision is Decision.RESTORE:
        return Standing(standing.before_dismissal) if standing.before_dismissal else None
    state = _NEXT.get((standing.state, decision))
    if state is None:
        return None
    # Dismissed twice is dismissed once: what a restoration leads back to stays.
    before = standing.before_dismissal or standing.state
    return Standing(state, before if state is State.DISMISSED else None)


class Signal(StrEnum):
    """What was looked at; the names of `EvidenceSignal`."""

    TAG = "TAG"
    TIME = "TIME"
    PLACE = "PLACE"
    FACES = "FACES"
    QUALITY = "QUALITY"
    KIND = "KIND"
    LIKENESS = "LIKENESS"


@dataclass(frozen=True)
class Evidence:
    """One thing that speaks for an idea: a signal, what it found, in how many photos, how strongly (0 to 1).

    `value` is for programs: a name of this service's, or a number; `evidence_labels` says the same to people.
    """

    signal: Signal
    value: str
    media_count: int
    score: float


@dataclass(frozen=True)
class Idea:
    """What photos give before it is stored as a suggestion, and what the stored record seals.

    `anchor` stays the same while the idea does, however its photos change.
    """

    kind: Kind
    anchor: str
    media: tuple[str, ...]
    score: float
    theme: str = ""
    start: datetime | None = None
    end: datetime | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def purpose(self) -> Purpose:
        """The purpose whose withdrawal takes the suggestion: LOCATION if places speak for it."""
        return (
            Purpose.LOCATION if any(each.signal is Signal.PLACE for each in self.evidence) else Purpose.CLOUD_PROCESSING
        )
