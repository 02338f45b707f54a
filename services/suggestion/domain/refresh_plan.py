"""Plan of a refresh: what to make and what to remove, given the ideas found and the suggestions there are."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.suggestion.domain.suggestions import Idea, Kind, State

MAX_OFFERED = 24
THEME_COOL_DOWN = timedelta(days=30)
SAME_PHOTOS = 0.8
_OFFERED = frozenset({State.READY, State.SEEN})
_DONE_WITH = frozenset({State.DISMISSED, State.EXPIRED, State.SAVED})


@dataclass(frozen=True)
class ExistingSuggestion:
    """A suggestion that is there, and where it stands."""

    id: UUID
    state: State
    idea: Idea
    update_time: datetime


@dataclass(frozen=True)
class Plan:
    """Ideas to make suggestions of, best first, and suggestions to remove."""

    make: tuple[Idea, ...]
    remove: tuple[UUID, ...]


def plan(
    found: Sequence[Idea], existing: Sequence[ExistingSuggestion], now: datetime, hidden: Set[str] = frozenset()
) -> Plan:
    """Return what to change so that the best ideas found are the ones offered.

    Args:
        found: every idea that the photos give, best first.
        existing: every suggestion that is there, whatever its state.
        now: the time, for cool-downs.
        hidden: media that their owner hid: what holds one goes as if the media had been deleted, also what is saved.
    """
    revealing = tuple(row.id for row in existing if not hidden.isdisjoint(row.idea.media))
    standing = [row for row in existing if row.id not in revealing]
    wanted = _distinct([idea for idea in found if not _declined(idea, standing, now)])[:MAX_OFFERED]
    offered = [row for row in standing if row.state in _OFFERED]
    # One row for each idea: a refresh that was cut off may have left an old row beside the new one.
    kept = {_identity(row.idea): row.id for row in offered if _identity(row.idea) in set(map(_identity, wanted))}
    replaced = tuple(row.id for row in offered if row.id not in kept.values())
    return Plan(make=tuple(idea for idea in wanted if _identity(idea) not in kept), remove=(*replaced, *revealing))


def _identity(idea: Idea) -> tuple[str, frozenset[str]]:
    return idea.anchor, frozenset(idea.media)


def _declined(idea: Idea, existing: Sequence[ExistingSuggestion], now: datetime) -> bool:
    """Return whether an idea was decided about before, or its theme was put away lately."""
    return any(
        (row.idea.anchor == idea.anchor and row.state in _DONE_WITH)
        or (
            row.state is State.DISMISSED
            and idea.kind is Kind.THEME
            and row.idea.theme == idea.theme
            and now - row.update_time < THEME_COOL_DOWN
        )
        for row in existing
    )


def _distinct(ideas: Sequence[Idea]) -> list[Idea]:
    """Drop ideas that show nearly the same photos as a better one."""
    chosen: list[Idea] = []
    for idea in ideas:
        if all(_overlap(idea, other) < SAME_PHOTOS for other in chosen):
            chosen.append(idea)
    return chosen


def _overlap(one: Idea, other: Idea) -> float:
    mine, theirs = set(one.media), set(other.media)
    return len(mine & theirs) / len(mine | theirs)
