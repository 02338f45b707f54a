"""Pages of a person's suggestions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.chassis.paging import Page
from services.suggestion.domain.suggestions import Kind, State
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.open_suggestions import OpenSuggestion, open_all

OFFERED_STATES = frozenset({State.READY, State.SEEN, State.SAVED})


class Order(StrEnum):
    """In which order suggestions are listed."""

    BEST = "score desc"
    NEWEST = "create_time desc"


@dataclass(frozen=True)
class SuggestionFilter:
    """Which suggestions are listed; what is empty does not narrow, but for the states: those that are offered."""

    kinds: frozenset[Kind] = frozenset()
    states: frozenset[State] = frozenset()
    media: str = ""

    def admits(self, suggestion: OpenSuggestion) -> bool:
        """Return whether a suggestion is among them."""
        return (
            suggestion.state in (self.states or OFFERED_STATES)
            and (not self.kinds or suggestion.idea.kind in self.kinds)
            and (not self.media or self.media in suggestion.idea.media)
        )


async def list_suggestions(
    dependencies: Dependencies, *, subject: str, wanted: SuggestionFilter, order: Order, page: Page
) -> tuple[list[OpenSuggestion], str]:
    """Return a page of suggestions, and the token of the next one; empty on the last page.

    A page begins after the place where the one before ended, so what comes or goes meanwhile shifts nothing.

    Raises:
        PurposeNotGranted: the person has not granted CLOUD_PROCESSING.
    """
    opened = await open_all(dependencies, subject=subject)
    begin = None if page.cursor is None else (float(page.cursor[0]), page.cursor[1])
    admitted = sorted(filter(wanted.admits, opened), key=lambda each: _place(each, order))
    rest = [each for each in admitted if begin is None or _place(each, order) > begin]
    shown = rest[: page.size]
    if len(rest) == len(shown):
        return shown, ""
    value, name = _place(shown[-1], order)
    return shown, page.next_token(repr(value), name)


def _place(suggestion: OpenSuggestion, order: Order) -> tuple[float, str]:
    """Return what sorts a suggestion; the id breaks ties, so that no two share a place."""
    value = suggestion.idea.score if order is Order.BEST else suggestion.row.create_time.timestamp()
    return -value, str(suggestion.row.id)
