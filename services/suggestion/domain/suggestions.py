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


_NEXT: Mapping[tuple[State, Decision], State] = {
    (State.READY, Decision.SAVE): State.SAVED,
    (State.SEEN, Decision.SAVE): State.SAVED,
    (State.SAVED, Decision.SAVE): State.SAVED,
    (State.READY, Decision.DISMISS): State.DISMISSED,
    (State.SEEN, Decision.DISMISS): State.DISMISSED,
    (State.SAVED, Decision.DISMISS): State.DISMISSED,
    (State.DISMISSED, Decision.DISMISS): State.DISMISSED,
}


def after(state: State, decision: Decision) -> State | None:
    """Return the state that a decision leads to; nothing if the life cycle does not allow it."""
    return _NEXT.get((state, decision))


@dataclass(frozen=True)
class Evidence:
    """One thing that speaks for an idea: a signal, what it found, in how many photos, how strongly (0 to 1)."""

    signal: str
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
        return Purpose.LOCATION if any(each.signal == "place" for each in self.evidence) else Purpose.CLOUD_PROCESSING
