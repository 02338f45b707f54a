"""Rows of uploads and media: what is personal in them is sealed."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.ingest.domain.media import MediaForm, Upload
from services.keyring import Purpose


@dataclass(frozen=True)
class Segment:
    """A piece of a sealed stream in the object store: its random name, its sealed bytes."""

    object: str
    size_bytes: int


@dataclass(frozen=True)
class NewSegment:
    """A segment that was just put.

    Attributes:
        segment: The object.
        position: Its place in the stream, from 0.
    """

    segment: Segment
    position: int


@dataclass(frozen=True)
class UploadRow:
    """An upload as it is stored.

    Attributes:
        id: Its name's UUID.
        subject: The person's pseudonym.
        request_id: The request that opened it.
        request_tag: Keyed digest of that request.
        media_id: The media that it becomes, or that was there already.
        purpose: What it is sealed for.
        purpose_revision: Fencing number of the purpose's key.
        data_key_id: Key of stream, announcement and metadata; None where the media was there already.
        form: What is uploaded.
        tag: Keyed digest of the original's SHA-256.
        bytes_tag: Keyed digest of what is uploaded of which original.
        size_bytes: Bytes announced.
        writer: How many streams have taken it over; the newest alone may commit.
        committed_bytes: Plain bytes that are durably stored.
        chunked_bytes: Those of them that stand in whole sealed chunks; the rest is sealed by itself, as the tail.
        seal_prefix: Prefix of the sealed stream, once a part of it is stored.
        sealed_announcement: An `Announcement`.
        create_time: When it was opened.
        expire_time: When it is given up.
        delete_time: When its key is destroyed at the latest.
        complete_time: When the media was made; None while it is open.
    """

    id: UUID
    subject: str
    request_id: UUID
    request_tag: bytes
    media_id: UUID
    purpose: Purpose
    purpose_revision: int
    data_key_id: UUID | None
    form: MediaForm
    tag: bytes
    bytes_tag: bytes
    size_bytes: int
    writer: int
    committed_bytes: int
    chunked_bytes: int
    seal_prefix: bytes | None
    sealed_announcement: bytes
    create_time: datetime
    expire_time: datetime
    delete_time: datetime
    complete_time: datetime | None = None

    def to_upload(self, client_id: str) -> Upload:
        """Return the upload as its owner may see it."""
        return Upload(
            id=self.id,
            client_id=client_id,
            committed_bytes=self.committed_bytes,
            size_bytes=self.size_bytes,
            create_time=self.create_time,
            expire_time=self.expire_time,
            media_id=None if self.complete_time is None else self.media_id,
        )


@dataclass(frozen=True)
class MediaRow:
    """A media as it is stored; fields as in `UploadRow`.

    Attributes:
        sealed_metadata: A `MediaMetadata`.
        upload_time: When it was stored first.
        original_wanted: Whether the original is to take the place of the reduced copy.
        metadata_revision: How many times it was stored or changed; an announcement that comes late is told by it.
        missing: Whether its bytes cannot be read.
    """

    id: UUID
    subject: str
    purpose: Purpose
    purpose_revision: int
    data_key_id: UUID
    form: MediaForm
    tag: bytes
    size_bytes: int
    sealed_metadata: bytes
    upload_time: datetime
    delete_time: datetime
    original_wanted: bool = False
    metadata_revision: int = 1
    missing: bool = False


@dataclass(frozen=True)
class KeptStream:
    """What is kept of a media: the objects of its sealed stream, in order, and whether they are known to be missing."""

    id: UUID
    subject: str
    data_key_id: UUID
    segments: tuple[Segment, ...]
    missing: bool = False


@dataclass(frozen=True)
class DeviceRow:
    """A device as it is stored.

    Attributes:
        id: Its name's UUID; another person may have one of the same.
        subject: The person's pseudonym.
        purpose_revision: Fencing number of the key of CLOUD_PROCESSING, for which it is sealed.
        data_key_id: Key of the description; None once it is revoked.
        sealed_description: A `DeviceDescription`; None once it is revoked.
        seal_time: When the data key was made.
        create_time: When it was registered first.
        last_seen_time: When it was last seen, to the hour.
        revoke_time: When its owner revoked it; the row stays as a tombstone.
    """

    id: UUID
    subject: str
    purpose_revision: int
    data_key_id: UUID | None
    sealed_description: bytes | None
    seal_time: datetime
    create_time: datetime
    last_seen_time: datetime
    revoke_time: datetime | None = None


@dataclass(frozen=True)
class LookupKeyRow:
    """A person's lookup key as it is stored: sealed under the data key named."""

    subject: str
    data_key_id: UUID
    purpose_revision: int
    sealed_key: bytes
    seal_time: datetime
