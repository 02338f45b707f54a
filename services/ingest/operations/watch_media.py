"""Watch of a person's media: their change feed, with each media opened."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass
from typing import ClassVar, TypeAlias
from uuid import UUID

from services.chassis.changes.feed import Change, ChangeKind, Checkpoint, Event, Item, Reset
from services.chassis.changes.watch import watch
from services.chassis.streams import batches
from services.ingest.domain.devices import device_name
from services.ingest.domain.media import Media
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.device_standing import see_device, until_revoked
from services.ingest.operations.find_media import open_media
from services.ingest.operations.open_keys import open_row_keys
from services.keyring import PurposeNotGranted

OPENED_TOGETHER = 500


@dataclass(frozen=True)
class ToldMedia:
    """A media that was stored, or that changed; as it is now."""

    cursor: str
    is_new: bool
    media: Media


@dataclass(frozen=True)
class ToldDeletion:
    """The name of a media that is gone."""

    cursor: str
    name: str


Told: TypeAlias = ToldMedia | ToldDeletion | Checkpoint | Reset


async def watch_media(
    dependencies: Dependencies, *, subject: str, cursor: str, device_id: UUID | None, until_checkpoint: bool
) -> AsyncGenerator[Told, None]:
    """Yield what happened since a cursor, a checkpoint, and then what happens, for as long as the token lasts.

    Args:
        dependencies: What the use cases are handed.
        subject: The person.
        cursor: Of an item told before; empty to go on where the device acknowledged, or else with a snapshot.
        device_id: The person's device that listens; None for none.
        until_checkpoint: Whether to end at the checkpoint.

    Raises:
        FieldInvalid: the cursor is none of this person's feed.
        DeviceNotFound: the person has no such device.
        DeviceRevoked: its owner revoked the device, now or while it listened.
        PurposeNotGranted: CLOUD_PROCESSING is not granted; what is gone was told before.
        TokenExpired: the caller's token came to its end.
    """
    opener = _MediaOpener(dependencies, subject)
    watching = watch(_follow(dependencies, subject, cursor, device_id), opener, until_checkpoint=until_checkpoint)
    async with aclosing(watching) as told:
        async for each in told:
            yield each


async def acknowledge_changes(dependencies: Dependencies, *, subject: str, device_id: UUID, cursor: str) -> None:
    """Note how far a device has taken the feed in; an older cursor than before changes nothing.

    Raises:
        FieldInvalid: the cursor is none of this person's feed.
        DeviceNotFound: the person has no such device.
        DeviceRevoked: its owner revoked it.
    """
    await see_device(dependencies, subject, device_id)
    await dependencies.change_feed.acknowledge(subject, device_name(device_id), cursor)


def _follow(
    dependencies: Dependencies, subject: str, cursor: str, device_id: UUID | None
) -> AsyncGenerator[list[Item], None]:
    if device_id is None:
        return batches(dependencies.change_feed.follow(subject, cursor), OPENED_TOGETHER)
    feed = dependencies.change_feed.follow(subject, cursor, device=device_name(device_id))
    return until_revoked(dependencies, batches(feed, OPENED_TOGETHER), subject=subject, device_id=device_id)


@dataclass(frozen=True)
class _MediaOpener:
    dependencies: Dependencies
    subject: str
    refusal: ClassVar = PurposeNotGranted

    def revoked(self) -> AbstractContextManager[Event]:
        return self.dependencies.keyring.revocations(self.subject)

    async def open(self, changes: Sequence[Change]) -> dict[str, ToldMedia | ToldDeletion]:
        await self.dependencies.lookup_keys.open(self.subject)
        named = {UUID(change.resource.removeprefix("media/")): change for change in changes}
        rows = await self.dependencies.media.find_many(self.subject, named) if named else []
        keys = await open_row_keys(self.dependencies, self.subject, rows)
        return {
            change.resource: ToldMedia(
                change.cursor, change.kind is ChangeKind.CREATED, open_media(self.dependencies, row, keys[row.id])
            )
            for row in rows
            if row.id in keys
            for change in [named[row.id]]
        }

    def gone(self, change: Change) -> ToldMedia | ToldDeletion:
        return ToldDeletion(change.cursor, change.resource)

    async def is_left(self) -> bool:
        return not await self.dependencies.change_feed.is_empty(self.subject)
