"""Ports: the tables as whole steps, each of them one transaction, and what else the operations need of the world."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.chassis.messaging.events import OutgoingEvent
from services.ingest.domain.leftovers import Discard, ExpiredUpload
from services.ingest.domain.media import MediaMetadata, PageStart, Usage
from services.ingest.domain.quota import Quota, Used
from services.ingest.domain.records import DeviceRow, LookupKeyRow, MediaRow, NewSegment, Segment, UploadRow
from services.ingest.ports.outcomes import Addition, Completion, MediaUpdate, Registration, Remembering
from services.keyring import Erasure, PurgeOrder, Purpose

REVOCATIONS = "device_revocations"
"""Channel on which is told, by the person's pseudonym, that a device was revoked."""


@dataclass(frozen=True)
class Request:
    """A request, so that its id is its own.

    Attributes:
        id: As the caller gave it.
        tag: Digest of all that it says; nothing from which something personal could be guessed.
    """

    id: UUID
    tag: bytes


@dataclass(frozen=True)
class Survey:
    """What is there that a new upload has to do with.

    Attributes:
        earlier: The upload that the same request opened, and the open one of the same bytes.
        kept: The media of the same original, if there is one.
        used: What is taken of the person's share.
        request_taken: Whether a call that is no upload bears the request's id.
    """

    earlier: Sequence[UploadRow]
    kept: Sequence[MediaRow]
    used: Used
    request_taken: bool = False


class Uploads(Protocol):
    """The uploads under way."""

    async def find(self, subject: str, upload_id: UUID) -> UploadRow | None:
        """Return an upload of the person."""

    async def page(self, subject: str, after: PageStart | None, limit: int, *, now: datetime) -> list[UploadRow]:
        """Return open uploads whose time is not over, newest first, from behind `after` on."""

    async def survey(self, subject: str, request_id: UUID, *, bytes_tag: bytes, tag: bytes) -> "Survey":
        """Return what is there that a new upload has to do with."""

    async def add(self, row: UploadRow, *, quota: Quota) -> Addition:
        """Open an upload and reserves its bytes."""

    async def add_complete(self, row: UploadRow, *, quota: Quota) -> Addition:
        """Note a request for what is kept already, if there is room for a row; one that is noted stays as it is."""

    async def take_over(self, subject: str, upload_id: UUID) -> tuple[UploadRow, bytes | None] | None:
        """Make the caller the one writer of an open upload; return it with its sealed tail, None if it is not open."""

    async def commit(self, row: UploadRow, new: NewSegment | None, *, tail: bytes | None) -> bool:
        """Store how far an upload has come, with a segment and the sealed tail; False if it has another writer.

        False as well if it is not open any more, or fenced out.
        """

    async def complete(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, now: datetime
    ) -> Completion:
        """Make the media: the last segment, the media, the event."""

    async def complete_at_once(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, now: datetime, *, quota: Quota
    ) -> Completion:
        """As `complete`, of an upload that is not there yet: it is added, complete. GONE if anything refuses it."""

    async def replace(
        self, row: UploadRow, media: MediaRow, new: NewSegment, event: OutgoingEvent, *, old: MediaRow, now: datetime
    ) -> Completion:
        """As `complete`, in place of what was kept of the same media, which is discarded."""

    async def complete_as_duplicate(self, row: UploadRow, *, media_id: UUID, now: datetime) -> None:
        """Completes an upload by a media that is kept already, and discards what was received."""

    async def discard(self, subject: str, upload_id: UUID, now: datetime) -> None:
        """Forgets an upload; of an open one what was received is discarded."""

    async def cancel(self, subject: str, upload_id: UUID, now: datetime, *, writer: int | None = None) -> bool:
        """Forget an open upload and discard what was received; False if there is none, or it has another writer."""

    async def segments(self, data_key_id: UUID) -> list[Segment]:
        """Return the segments of a sealed stream, in order."""


class MediaTable(Protocol):
    """The media that are kept."""

    async def find(self, subject: str, media_id: UUID) -> MediaRow | None:
        """Return a media of the person."""

    async def find_many(self, subject: str, media_ids: Collection[UUID]) -> list[MediaRow]:
        """Return those of the media that the person has."""

    async def find_tagged(self, subject: str, tags: Collection[bytes]) -> list[MediaRow]:
        """Return the media of these originals."""

    async def page(
        self, subject: str, after: PageStart | None, limit: int, *, newest_first: bool = True
    ) -> list[MediaRow]:
        """Return media by the time of their uploads, from behind `after` on."""

    async def segments(self, data_key_id: UUID) -> list[Segment]:
        """Return the segments of a sealed stream, in order."""

    async def discard(self, row: MediaRow, now: datetime) -> None:
        """Delete a media that cannot be opened any more, and discards its stream; nothing if it changed meanwhile."""

    async def update(
        self, row: MediaRow, event: OutgoingEvent | None, request: Request | None, now: datetime, *, quota: Quota
    ) -> MediaUpdate:
        """Store what is known of a media now, in place of the revision before, with the event and the request.

        Without an event the request alone is noted.
        """

    async def deleted_tags(self, subject: str, tags: Collection[bytes]) -> set[bytes]:
        """Return those of the tags whose media their owner deleted."""

    async def was_deleted(self, subject: str, media_id: UUID) -> bool:
        """Tells whether the owner deleted a media of this id."""

    async def tell_deleted(self, subject: str, media_id: UUID, now: datetime) -> None:
        """Say to plans and in the change feed that its owner deleted a media; its row goes with the purge."""

    async def used(self, subject: str) -> Used:
        """Return what is taken of the person's share."""

    async def usage(self, subject: str, now: datetime) -> Usage:
        """Return what a person uses; uploads whose time is over do not count as open."""

    async def want_originals(self, consumer: str, event_id: str, subject: str, media_ids: Sequence[UUID]) -> int:
        """Note once for an event that the originals of these media are wanted; return how many were not before."""


class Requests(Protocol):
    """The requests of the last day that no other row remembers."""

    async def remember(self, subject: str, request_id: UUID, tag: bytes, now: datetime, *, quota: Quota) -> Remembering:
        """Note a request."""


class DeviceTable(Protocol):
    """The devices that persons have registered, and those that were revoked."""

    async def find(self, subject: str, device_id: UUID) -> DeviceRow | None:
        """Return a device of the person."""

    async def registered(self, subject: str) -> list[DeviceRow]:
        """Return the person's devices, the one seen last first, without those that were revoked."""

    async def put(self, row: DeviceRow, *, replaces: UUID | None, most: int) -> Registration:
        """Store a device, in place of what is sealed under `replaces`; None for a new one.

        `most` is how many there are of a person; with those that were revoked `KEPT_PER_DEVICE` times as many.
        """

    async def see(self, subject: str, device_id: UUID, hour: datetime) -> DeviceRow | None:
        """Note that a device was seen, and return it as it was before; one that was revoked stays as it is."""

    async def revoke(self, subject: str, device_id: UUID, now: datetime) -> DeviceRow | None:
        """Make a device a tombstone, and return it as it was before; its followers are woken by `REVOCATIONS`."""


class LookupKeyTable(Protocol):
    """The sealed lookup keys."""

    async def find(self, subject: str) -> LookupKeyRow | None:
        """Return a person's key."""

    async def put(self, row: LookupKeyRow, *, replaces: UUID | None) -> bool:
        """Store a key, in place of the one sealed under `replaces`; False if that is not the one there."""


class Erasures(Protocol):
    """Destroys everything that derives from a media, at once; the keyring's."""

    async def erase_media(self, *, subject: str, media: str, request_id: UUID) -> Erasure:
        """Destroy the keys and return the erasure; raise the keyring's `NothingToErase` and `RequestIdReused`."""


class SweepTables(Protocol):
    """What runs out, and what is left over."""

    async def expired_uploads(
        self, now: datetime, limit: int, without: AbstractSet[str] = frozenset()
    ) -> list[ExpiredUpload]:
        """Return uploads, but these, whose time is over, the oldest first."""

    async def delete_complete(self, upload_ids: Sequence[UUID]) -> None:
        """Forgets complete uploads."""

    async def discards(self, limit: int, without: AbstractSet[str] = frozenset()) -> list[Discard]:
        """Return what is to be deleted, but for the streams of these keys, oldest first."""

    async def delete_discard(self, data_key_id: UUID) -> None:
        """Forgets what was deleted."""

    async def unknown_objects(self, names: Sequence[str]) -> set[str]:
        """Return those of the objects that no row names."""

    async def forget_deleted(self, before: datetime) -> None:
        """Forgets deletions from before that moment."""

    async def forget_requests(self, before: datetime) -> None:
        """Forget requests from before that moment."""


class PurgeTables(Protocol):
    """The tables that a purge deletes from."""

    async def raise_fences(self, subject: str, purposes: Sequence[Purpose], revision: int) -> None:
        """Lets nothing in any more that was sealed under this revision of a purpose's key, or an older one."""

    async def objects(self, order: PurgeOrder) -> list[str]:
        """Return the objects of what must go."""

    async def delete(self, order: PurgeOrder) -> tuple[Mapping[str, int], list[str]]:
        """Delete the rows of what must go; return how many of each store, and objects that came in meanwhile."""


class Codec(Protocol):
    """How what this service says to others is written; the contract's messages."""

    def encode_metadata(self, metadata: MediaMetadata) -> bytes:
        """Return metadata in the form in which it is sealed."""

    def decode_metadata(self, data: bytes) -> MediaMetadata:
        """Read what `encode_metadata` wrote."""

    def media_stored(self, media: MediaRow, segments: Sequence[Segment]) -> OutgoingEvent:
        """Return the event that tells of a media."""

    def media_updated(self, media: MediaRow) -> OutgoingEvent:
        """Return the event that tells what is known of a media now."""
