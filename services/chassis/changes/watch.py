"""Watch of a person's resources: their change feed with each resource opened, for as long as they may see it."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, Protocol, TypeAlias, TypeVar

from services.chassis.changes.feed import Change, ChangeKind, Checkpoint, Event, Item, Reset
from services.chassis.errors import DomainError

ToldT = TypeVar("ToldT")
ToldT_co = TypeVar("ToldT_co", covariant=True)
Batches: TypeAlias = AsyncGenerator[list[Item], None]


class Opener(Protocol[ToldT_co]):
    """What a service tells of its resources."""

    @property
    def refusal(self) -> type[DomainError]:
        """The error of a person who may see nothing any more."""

    def revoked(self) -> AbstractContextManager[Event]:
        """Give an event that is set when the person may perhaps see less than before."""

    async def open(self, changes: Sequence[Change]) -> Mapping[str, ToldT_co]:
        """Return what is told of resources that are there, by their names; those that cannot be opened are left out.

        Raises:
            DomainError: `refusal`, also for no changes at all.
        """

    def gone(self, change: Change) -> ToldT_co:
        """Return what is told of a resource that is gone."""

    async def is_left(self) -> bool:
        """Tell whether the feed still has a resource, of which it will tell that it is gone."""


async def watch(
    batches: Batches, opener: Opener[ToldT], *, until_checkpoint: bool
) -> AsyncGenerator[ToldT | Checkpoint | Reset, None]:
    """Yield what happens, until the person may see nothing any more.

    A withdrawal deletes: what is gone is told before the stream ends. What cannot be opened any more is not told: its
    deletion follows.

    Args:
        batches: What happens, as `ChangeFeed.follow` tells it; closed with this generator.
        opener: Opens it.
        until_checkpoint: Whether to end at the checkpoint.

    Raises:
        DomainError: what the batches and the opener raise.
    """
    with opener.revoked() as woken:
        async with aclosing(_with_looks(batches, woken)) as happened:
            async for items in happened:
                try:
                    opened = await opener.open(_changes(items, gone=False))
                except opener.refusal:
                    for deletion in _changes(items, gone=True):
                        yield opener.gone(deletion)
                    if items or not await opener.is_left():
                        raise
                    continue
                for told in _told(items, opened, opener):
                    yield told
                    if until_checkpoint and isinstance(told, Checkpoint):
                        return


async def _with_looks(batches: Batches, woken: Event) -> Batches:
    """Yield the batches, and an empty one whenever it is time to look whether the person may still see anything."""
    coming: asyncio.Future[list[Item] | None] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(batches, None))
            if not await _first(coming, woken):
                woken.clear()
                yield []
                continue
            items, coming = coming.result(), None
            if items is None:
                return
            yield items
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.wait({coming})
        await batches.aclose()


async def _first(coming: "asyncio.Future[list[Item] | None]", woken: Event) -> bool:
    """Tell whether the batch came, rather than the wake."""
    waking = asyncio.ensure_future(woken.wait())
    try:
        either: set[asyncio.Future[Any]] = {coming, waking}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waking.cancel()
    return coming.done()


def _told(
    items: Sequence[Item], opened: Mapping[str, ToldT], opener: Opener[ToldT]
) -> Iterator[ToldT | Checkpoint | Reset]:
    for item in items:
        if not isinstance(item, Change):
            yield item
        elif item.kind is ChangeKind.DELETED:
            yield opener.gone(item)
        elif item.resource in opened:
            yield opened[item.resource]


def _changes(items: Sequence[Item], *, gone: bool) -> list[Change]:
    """Return the changes by which resources went, or the others."""
    return [item for item in items if isinstance(item, Change) and (item.kind is ChangeKind.DELETED) is gone]
