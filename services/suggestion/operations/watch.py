"""Watch of a person's suggestions: their change feed, with each suggestion opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from services.chassis.change_feed import Change, ChangeFeed, ChangeKind, Reset
from services.keyring import Purpose, PurposeNotGranted
from services.suggestion.errors import SuggestionNotFound
from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.open_suggestions import OpenSuggestion, open_all, open_one


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


@dataclass(frozen=True)
class ToldCheckpoint:
    """Everything up to the moment of the call was told; `is_snapshot` if it was told from nothing."""

    cursor: str
    is_snapshot: bool


Told: TypeAlias = ToldSuggestion | ToldDeletion | ToldCheckpoint | Reset


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
        PurposeNotGranted: CLOUD_PROCESSING is not granted; the deletions up to then were told.
        TokenExpired: the caller's token came to its end.
    """
    feed = dependencies.change_feed
    cursor = cursor or (await feed.acknowledged(subject, device) if device else "")
    is_snapshot = not cursor
    try:
        # Opens all keys in one call: what is told next finds them in memory.
        await open_all(dependencies, subject=subject)
        async with aclosing(feed.follow(subject, cursor)) as items:
            async for item in items:
                if isinstance(item, Reset):
                    is_snapshot, cursor = True, ""
                    yield item
                    continue
                cursor = item.cursor
                if isinstance(item, Change):
                    if (told := await _told(dependencies, subject, item)) is not None:
                        yield told
                    await _check_grant(dependencies, subject, item)
                    continue
                yield ToldCheckpoint(cursor, is_snapshot)
                if until_checkpoint:
                    return
    except PurposeNotGranted:
        # A withdrawal deletes: what is gone is told before the stream ends.
        async for deletion in _deletions(feed, subject, cursor):
            yield deletion
        raise


async def _told(dependencies: Dependencies, subject: str, change: Change) -> ToldSuggestion | ToldDeletion | None:
    """Return what is told of a change; nothing of a suggestion that cannot be opened: its deletion follows."""
    if change.kind is ChangeKind.DELETED:
        return ToldDeletion(change.cursor, change.resource)
    suggestion_id = UUID(change.resource.removeprefix("suggestions/"))
    try:
        opened = await open_one(dependencies, subject=subject, suggestion_id=suggestion_id)
    except SuggestionNotFound:
        return None
    return ToldSuggestion(change.cursor, change.kind is ChangeKind.CREATED, opened)


async def _check_grant(dependencies: Dependencies, subject: str, change: Change) -> None:
    """Raise if a deletion was one of a withdrawal."""
    if change.kind is ChangeKind.DELETED:
        await dependencies.keyring.open(subject=subject, purpose=Purpose.CLOUD_PROCESSING, ids=())


async def _deletions(feed: ChangeFeed, subject: str, cursor: str) -> AsyncGenerator[ToldDeletion, None]:
    """Yield the deletions between a cursor and now; from nothing, nothing can be gone."""
    if not cursor:
        return
    async with aclosing(feed.follow(subject, cursor)) as items:
        async for item in items:
            if not isinstance(item, Change):
                return
            if item.kind is ChangeKind.DELETED:
                yield ToldDeletion(item.cursor, item.resource)


async def acknowledge(dependencies: Dependencies, *, subject: str, device: str, cursor: str) -> None:
    """Note how far a device has taken the feed in; an older cursor than before changes nothing.

    Raises:
        FieldInvalid: the cursor is none of this person's feed.
    """
    await dependencies.change_feed.acknowledge(subject, device, cursor)
