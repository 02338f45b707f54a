"""Watch of a person's media: their change feed, with each media opened."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from services.chassis.change_feed import Change, ChangeKind, Checkpoint, Item, Reset
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
    async with aclosing(_follow(dependencies, subject, cursor, device_id)) as happened:
        async for items in happened:
            try:
                opened = await _open(dependencies, subject, items)
            except PurposeNotGranted:
                # A withdrawal deletes: what is gone is told before the stream ends.
                for deletion in _deletions(items):
                    yield deletion
                raise
            for told in _told(items, opened):
                yield told
                if until_checkpoint and isinstance(told, Checkpoint):
                    return


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


async def _open(dependencies: Dependencies, subject: str, items: Sequence[Item]) -> dict[str, Media]:
    await dependencies.lookup_keys.open(subject)
    names = [item.resource for item in items if isinstance(item, Change) and item.kind is not ChangeKind.DELETED]
    ids = {UUID(name.removeprefix("media/")): name for name in names}
    rows = await dependencies.media.find_many(subject, ids) if ids else []
    keys = await open_row_keys(dependencies, subject, rows)
    return {ids[row.id]: open_media(dependencies, row, keys[row.id]) for row in rows if row.id in keys}


def _told(items: Sequence[Item], opened: Mapping[str, Media]) -> Iterator[Told]:
    for item in items:
        if not isinstance(item, Change):
            yield item
        elif item.kind is ChangeKind.DELETED:
            yield ToldDeletion(item.cursor, item.resource)
        elif media := opened.get(item.resource):
            yield ToldMedia(item.cursor, item.kind is ChangeKind.CREATED, media)
        # What cannot be opened any more is not told: its deletion follows.


def _deletions(items: Sequence[Item]) -> Iterator[ToldDeletion]:
    for item in items:
        if isinstance(item, Change) and item.kind is ChangeKind.DELETED:
            yield ToldDeletion(item.cursor, item.resource)
