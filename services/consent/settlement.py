"""How a planned change becomes true, and how books and keys agree again after an interruption.

A change passes three steps, with the person's ledger locked: written down as pending; turned into keys (what ends
first, what begins after); made true. An interruption leaves it pending. Whoever comes next, a call of the same
person or the sweep, completes what narrows and drops what widens, so that no grant appears that was never
confirmed to the person, and no withdrawal is lost.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.chassis.clock import Clock
from services.consent.decisions import Change, plan_expiry
from services.consent.domain import ConsentEvent, Standing
from services.consent.ports import ConsentStore, History, Ledger, PurposeKeys


async def carry_out(ledger: Ledger, change: Change, *, subject: str, keys: PurposeKeys) -> None:
    """Turns a change into keys and makes it true.

    Raises:
        DependencyUnavailable, GrantStale, PersonErased: as the key service says; the change stays pending.
    """
    await ledger.begin(change)
    if change.closes:
        await keys.destroy(subject=subject, purposes=change.closes, revision=change.revision)
    for event in change.grants:
        await _grant(event, subject=subject, keys=keys)
    await ledger.finish(change)


async def end_interrupted(
    ledger: Ledger, change: Change, history: History, *, subject: str, keys: PurposeKeys, now: datetime
) -> None:
    """Completes what narrows and takes back what widens: the books say what was granted before.

    Raises:
        DependencyUnavailable: the key service does not answer; the change stays pending.
    """
    standing = Standing(history.latest, now)
    undone = [event.purpose for event in change.grants if not standing.stands(event.purpose)]
    if doomed := [*change.closes, *undone]:
        await keys.destroy(subject=subject, purposes=doomed, revision=change.revision)
    restored = _restored(change, standing)
    for event in restored:
        await _grant(event, subject=subject, keys=keys)
    rest = change.without_grants()
    await ledger.finish(replace(rest, revision=change.revision + len(restored)))


def _restored(change: Change, standing: Standing) -> list[ConsentEvent]:
    """Returns the grants that an interrupted renewal may have moved, as decided again with the terms of the books."""
    before = [standing.event(event.purpose) for event in change.grants if standing.stands(event.purpose)]
    return [
        replace(event, revision=change.revision + number, event_time=change.begin_time)
        for number, event in enumerate((event for event in before if event is not None), start=1)
    ]


async def settle(ledger: Ledger, *, subject: str, keys: PurposeKeys, clock: Clock) -> None:
    """Ends what was interrupted, and then what has run out.

    Raises:
        DependencyUnavailable: the key service does not answer; it stays as it is.
    """
    history = await ledger.history()
    if history.pending is not None:
        pending = history.pending
        await end_interrupted(ledger, pending, history, subject=subject, keys=keys, now=clock.now())
        history = await ledger.history()
    now = clock.now()
    standing = Standing(history.latest, now)
    if standing.lapsed():
        change = plan_expiry(standing, revision=history.revision, now=now)
        await carry_out(ledger, change, subject=subject, keys=keys)


async def settle_person(*, subject: str, store: ConsentStore, keys: PurposeKeys, clock: Clock) -> None:
    """Settles one person's books; for the sweep and the clock.

    Raises:
        DependencyUnavailable: the key service does not answer; it stays as it is.
    """
    async with store.locked(subject) as ledger:
        await settle(ledger, subject=subject, keys=keys, clock=clock)


async def purge(
    *, subject: str, erase_time: datetime, store: ConsentStore, keys: PurposeKeys, clock: Clock
) -> Mapping[str, int]:
    """Deletes what is written down about a person until a time, and returns how many rows of each store.

    Raises:
        DependencyUnavailable: the key service does not answer; call again.
    """
    async with store.locked(subject) as ledger:
        await settle(ledger, subject=subject, keys=keys, clock=clock)
        deleted = await ledger.purge(erase_time)
        # A later grant may have lost what it builds on.
        await settle(ledger, subject=subject, keys=keys, clock=clock)
    return deleted


async def _grant(event: ConsentEvent, *, subject: str, keys: PurposeKeys) -> None:
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
