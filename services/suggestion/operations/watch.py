"""Watch of a person's suggestions: their change feed, with each suggestion opened."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from services.chassis.changes import watch as change_watch
from services.chassis.changes.feed import Change, ChangeKind, Checkpoint, Event, Reset
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
    opener = _SuggestionOpener(dependencies, subject)
    watching = change_watch.watch(batches(feed, OPENED_TOGETHER), opener, until_checkpoint=until_checkpoint)
    async with aclosing(watching) as told:
        async for each in told:
            yield each


async def acknowledge(dependencies: Dependencies, *, subject: str, device: str, cursor: str) -> None:
    """Note how far a device has taken the feed in; an older cursor than before changes nothing.

    Raises:
        FieldInvalid: the cursor is none of this person's feed.
    """
    await dependencies.change_feed.acknowledge(subject, device, cursor)


@dataclass(frozen=True)
class _SuggestionOpener:
    dependencies: Dependencies
    subject: str
    refusal: ClassVar = PurposeNotGranted

    def revoked(self) -> AbstractContextManager[Event]:
        return self.dependencies.keyring.revocations(self.subject)

    async def open(self, changes: Sequence[Change]) -> dict[str, ToldSuggestion | ToldDeletion]:
        opened = await open_all(self.dependencies, subject=self.subject)
        suggestions = {f"suggestions/{each.row.id}": each for each in opened}
        return {
            change.resource: ToldSuggestion(change.cursor, change.kind is ChangeKind.CREATED, suggestion)
            for change in changes
            if (suggestion := suggestions.get(change.resource))
        }

    def gone(self, change: Change) -> ToldSuggestion | ToldDeletion:
        return ToldDeletion(change.cursor, change.resource)

    async def is_left(self) -> bool:
        return not await self.dependencies.change_feed.is_empty(self.subject)
