"""Watch of a person's suggestions: their change feed, with each suggestion opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from services.chassis.change_feed import Change, ChangeKind, Checkpoint, Item, Reset
from services.chassis.streams import batches
from services.keyring import PurposeNotGranted
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.open_suggestions import OpenSuggestion, open_all

OPENED_TOGETHER = 500


@dataclass(frozen=True)
class ToldSuggestion:
    """A suggestion that was made, or that changed; as it is now."""

    cursor: str
    is_new: bool
    suggestion: OpenSuggestion


@dataclass(frozen=True)
class ToldDeletion:
    """The name of a suggestion that is gone."""

    cursor: str
    name: str


Told: TypeAlias = ToldSuggestion | ToldDeletion | Checkpoint | Reset


async def watch(
    dependencies: Dependencies, *, subject: str, cursor: str, device: str, until_checkpoint: bool
) -> AsyncGenerator[Told, None]:
    """Yield what happened since a cursor, a checkpoint, and then what happens, for as long as the token lasts.

    Args:
        dependencies: what the use cases are handed.
        subject: the person.
        cursor: of an item told before; empty to go on where the device acknowledged, or else with a snapshot.
        device: name of the person's device; may be empty.
        until_checkpoint: whether to end at the checkpoint.

    Raises:
        FieldInvalid: the cursor is none of this person's feed.
        PurposeNotGranted: CLOUD_PROCESSING is not granted; what is gone was told before.
        TokenExpired: the caller's token came to its end.
    """
    feed = dependencies.change_feed.follow(subject, cursor, device=device)
    async with aclosing(batches(feed, OPENED_TOGETHER)) as happened:
        async for items in happened:
            try:
                opened = await open_all(dependencies, subject=subject)
            except PurposeNotGranted:
                # A withdrawal deletes: what is gone is told before the stream ends.
                for deletion in _deletions(items):
                    yield deletion
                raise
            for told in _told(items, {f"suggestions/{each.row.id}": each for each in opened}):
                yield told
                if until_checkpoint and isinstance(told, Checkpoint):
                    return


async def acknowledge(dependencies: Dependencies, *, subject: str, device: str, cursor: str) -> None:
    """Note how far a device has taken the feed in; an older cursor than before changes nothing.

    Raises:
        FieldInvalid: the cursor is none of this person's feed.
    """
    await dependencies.change_feed.acknowledge(subject, device, cursor)


def _told(items: Sequence[Item], opened: Mapping[str, OpenSuggestion]) -> Iterator[Told]:
    for item in items:
        if not isinstance(item, Change):
            yield item
        elif item.kind is ChangeKind.DELETED:
            yield ToldDeletion(item.cursor, item.resource)
        elif suggestion := opened.get(item.resource):
            yield ToldSuggestion(item.cursor, item.kind is ChangeKind.CREATED, suggestion)
        # What cannot be opened any more is not told: its deletion follows.


def _deletions(items: Sequence[Item]) -> Iterator[ToldDeletion]:
    for item in items:
        if isinstance(item, Change) and item.kind is ChangeKind.DELETED:
            yield ToldDeletion(item.cursor, item.resource)
