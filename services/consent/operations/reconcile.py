"""Reconciliation of books and keys: how a planned change becomes true, and how an interruption is mended.

A change passes three steps, with the person's ledger locked: written down as pending; turned into keys (what ends
first, what begins after); made true. An interruption leaves it pending. The next call of the same person, or the
sweep, completes what narrows and drops what widens, so that no grant appears that was never confirmed to the person,
and no withdrawal is lost.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from services.consent.domain.change import Change
from services.consent.domain.change_plan import plan_expiry
from services.consent.domain.consent import ConsentEvent
from services.consent.domain.history import History
from services.consent.domain.metrics import DECISIONS
from services.consent.domain.standing import Standing
from services.consent.operations.dependencies import Dependencies
from services.consent.ports import Ledger, PurposeKeys
from services.keyring import Purpose
from services.keyring.errors import GrantStale


async def carry_out(ledger: Ledger, change: Change, subject: str, dependencies: Dependencies) -> Change:
    """Turn a change into keys and make it true; return it with the revisions that it was given.

    Raises:
        DependencyUnavailable, GrantStale, PersonErased: as the key service says; the change stays pending.
    """
    await ledger.begin(change)
    change = await _close(ledger, change, change.closes, subject, dependencies)
    for event in change.grants:
        await _grant(event, subject, dependencies.keys)
    await _finish(ledger, change, dependencies)
    return change


async def _finish(ledger: Ledger, change: Change, dependencies: Dependencies) -> None:
    await ledger.finish(change)
    for event in change.events:
        dependencies.measurements.measure(DECISIONS, 1, {"purpose": event.purpose, "type": event.type})


async def _close(
    ledger: Ledger, change: Change, purposes: Sequence[Purpose], subject: str, dependencies: Dependencies
) -> Change:
    """Destroy the keys of purposes, whatever revision they bear.

    If later decisions are known than these books have, they come from a copy: the change is written down once more,
    with revisions past those, and then it is the latest.
    """
    while purposes:
        known = await dependencies.keys.destroy(subject=subject, purposes=purposes, revision=change.revision)
        if known <= change.revision:
            break
        change = change.moved_past(known)
        await ledger.begin(change)
    return change


async def end_interrupted(
    ledger: Ledger, change: Change, history: History, subject: str, dependencies: Dependencies, *, now: datetime
) -> None:
    """Complete what narrows and take back what widens: the books say what was granted before.

    Raises:
        DependencyUnavailable: the key service does not answer; the change stays pending.
    """
    standing = Standing(history.latest, now)
    undone = [event.purpose for event in change.grants if not standing.stands(event.purpose)]
    if undone:
        # No key of a later decision, of which these books may have been robbed by a restore: it still has its photos.
        await dependencies.keys.destroy(subject=subject, purposes=undone, revision=change.revision)
    change = await _close(ledger, change, change.closes, subject, dependencies)
    revision = await _restore(change, standing, subject, dependencies)
    await _finish(ledger, replace(change.without_grants(), revision=revision), dependencies)


async def _restore(change: Change, standing: Standing, subject: str, dependencies: Dependencies) -> int:
    """Grant again what an interrupted renewal may have moved, and return the highest revision used."""
    while True:
        restored = _restored(change, standing)
        try:
            for event in restored:
                await _grant(event, subject, dependencies.keys)
        except GrantStale as stale:
            change = change.moved_past(int(stale.metadata["current"]))
        else:
            return change.revision + len(restored)


def _restored(change: Change, standing: Standing) -> list[ConsentEvent]:
    """Return the grants that an interrupted renewal may have moved, as decided again with the terms of the books."""
    before = [standing.event(event.purpose) for event in change.grants if standing.stands(event.purpose)]
    return [
        replace(event, revision=change.revision + number, event_time=change.begin_time)
        for number, event in enumerate((event for event in before if event is not None), start=1)
    ]


async def reconcile(ledger: Ledger, subject: str, dependencies: Dependencies) -> None:
    """End what was interrupted, and then what has run out.

    Raises:
        DependencyUnavailable: the key service does not answer; it stays as it is.
    """
    history = await ledger.history()
    if history.pending is not None:
        pending = history.pending
        await end_interrupted(ledger, pending, history, subject, dependencies, now=dependencies.clock.now())
        history = await ledger.history()
    now = dependencies.clock.now()
    standing = Standing(history.latest, now)
    if standing.lapsed():
        change = plan_expiry(standing, revision=history.revision, now=now)
        await carry_out(ledger, change, subject, dependencies)


async def reconcile_person(subject: str, dependencies: Dependencies) -> None:
    """Reconcile one person's books; for the sweep and the clock.

    Raises:
        DependencyUnavailable: the key service does not answer; it stays as it is.
    """
    async with dependencies.store.locked(subject) as ledger:
        await reconcile(ledger, subject, dependencies)


async def _grant(event: ConsentEvent, subject: str, keys: PurposeKeys) -> None:
    if event.expire_time is None:
        raise ValueError(f"{event.id} grants {event.purpose} without an end")
    await keys.grant(
        subject=subject,
        purpose=event.purpose,
        revision=event.revision,
        expire_time=event.expire_time,
        decide_time=event.event_time,
        reach_back_time=event.older_media_start_time,
    )
