"""Decisions of an owner about a suggestion: keep it, put it away, or take that back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.chassis.messaging.events import OutgoingEvent
from services.suggestion.domain.metrics import DECIDED
from services.suggestion.domain.suggestions import Decision, after
from services.suggestion.errors import RequestIdReused, StateNotAllowed, SuggestionNotFound
from services.suggestion.operations import open_suggestions
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.open_suggestions import OpenSuggestion
from services.suggestion.ports import Store

SavedEvent = Callable[[str, OpenSuggestion], OutgoingEvent]


async def decide(
    dependencies: Dependencies,
    *,
    subject: str,
    suggestion_id: UUID,
    request_id: UUID,
    decision: Decision,
    saved_event: SavedEvent,
) -> OpenSuggestion:
    """Keep a suggestion, put it away or take that back; a repeated request changes nothing.

    Raises:
        SuggestionNotFound: there is no such suggestion for this person.
        StateNotAllowed: the life cycle does not allow it.
        RequestIdReused: the request id stands for another request.
    """
    opened = await open_suggestions.open_one(dependencies, subject=subject, suggestion_id=suggestion_id)
    async with dependencies.database.locked(subject) as store:
        now = dependencies.clock.now()
        is_new = not await _repeated(store, subject, suggestion_id, request_id, decision)
        if is_new:
            await _move(store, opened, decision, now)
            await store.decisions.add(subject, request_id, suggestion_id, decision, now)
            if decision is Decision.SAVE:
                await store.publish(saved_event(subject, opened))
            await store.changes.changed(subject, [suggestion_id])
    if is_new:
        dependencies.measurements.measure(DECIDED, 1, {"kind": opened.idea.kind, "decision": decision})
    return await open_suggestions.open_one(dependencies, subject=subject, suggestion_id=suggestion_id)


async def _repeated(store: Store, subject: str, suggestion_id: UUID, request_id: UUID, decision: Decision) -> bool:
    before = await store.decisions.find(subject, request_id)
    if before is None:
        return False
    if (before.suggestion_id, before.decision) != (suggestion_id, decision.value):
        raise RequestIdReused.of(request_id)
    return True


async def _move(store: Store, opened: OpenSuggestion, decision: Decision, now: datetime) -> None:
    row = await store.suggestions.find(opened.row.subject, opened.row.id)
    if row is None:
        raise SuggestionNotFound.of(opened.row.id)
    target = after(row.standing, decision)
    if target is None:
        raise StateNotAllowed.of(row.state, decision.value)
    await store.suggestions.move(row.id, target, now)
    if decision is Decision.RESTORE:
        # What is like it may be offered again: the next refresh looks for it.
        await store.suggestions.offer_again(row.id, now)
        await store.refreshes.mark_due(row.subject, now)
