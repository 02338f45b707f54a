"""Assets as a phone describes them, uploads, and media: the values of the service, and their names."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from services.ingest.domain.quota import Used
from services.keyring import Purpose
from services.picture_files.capture_time import Source
from services.picture_files.timestamps import Precision

BATCH_FILE_LIMIT = 8 * 1024 * 1024
"""Bytes of a file in a batch, at most: too few to be worth going on with."""
BUCKET = "media"
_LATER_FIELDS = ("capture_utc_offset", "capture_time_source", "capture_time_precision")
MEDIA_PURPOSES = (Purpose.CLOUD_PROCESSING, Purpose.OLDER_MEDIA)
"""What a media may be kept for; the other purposes seal nothing here."""


class MediaForm(StrEnum):
    """The form in which a media is uploaded and kept: as it is, or as a reduced copy."""

    ORIGINAL = "ORIGINAL"
    REDUCED = "REDUCED"

    def suffices_for(self, wanted: "MediaForm") -> bool:
        """Tells whether keeping this one makes another upload of `wanted` useless."""
        return self is MediaForm.ORIGINAL or self is wanted


class MediaType(StrEnum):
    """What is taken in, by its IANA media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    HEIC = "image/heic"
    AVIF = "image/avif"


@dataclass(frozen=True)
class Asset:
    """An asset as the phone describes it; nothing here is believed about the bytes.

    Attributes:
        client_id: The phone's own name for it.
        sha256: Of the original file, 32 bytes.
        capture_time: When it was taken; None if the phone does not know.
        size_bytes: Of the original file.
        width: Of the upright original in pixels; 0 if not known.
        height: Of the upright original in pixels; 0 if not known.
        content_type: IANA media type as far as the phone knows; may be empty.
        file_name: As the phone shows it; folders may be part of it.
        favorite: Whether its owner marked it.
        screenshot: Whether the phone knows it for a screenshot.
        capture_utc_offset: Of the wall clock at the time of capture; None if the phone does not know.
        capture_time_source: What says when it was taken; None if the phone does not say.
        capture_time_precision: How exactly; None if the phone does not say.
    """

    client_id: str
    sha256: bytes = field(repr=False)
    capture_time: datetime | None
    size_bytes: int
    width: int = 0
    height: int = 0
    content_type: str = ""
    file_name: str = ""
    favorite: bool = False
    screenshot: bool = False
    capture_utc_offset: timedelta | None = None
    capture_time_source: Source | None = None
    capture_time_precision: Precision | None = None

    @property
    def long_side(self) -> int:
        """The longer side in pixels; 0 if not known."""
        return max(self.width, self.height)


@dataclass(frozen=True)
class Announcement:
    """What a phone said it would upload; sealed for as long as the upload is open.

    Attributes:
        asset: The asset.
        form: What of it.
        size_bytes: How many bytes.
        sha256: Of those bytes, 32 bytes.
    """

    asset: Asset
    form: MediaForm
    size_bytes: int
    sha256: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """Return a canonical form, to be sealed or compared."""
        row = asdict(self)
        asset = row["asset"]
        asset["sha256"], row["sha256"] = self.asset.sha256.hex(), self.sha256.hex()
        asset["capture_time"] = self.asset.capture_time and self.asset.capture_time.isoformat()
        if self.asset.capture_utc_offset is not None:
            asset["capture_utc_offset"] = self.asset.capture_utc_offset.total_seconds()
        for name in _LATER_FIELDS:
            if asset[name] is None:
                # As before there were these fields: an upload may be open meanwhile.
                del asset[name]
        return json.dumps(row, sort_keys=True).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` wrote."""
        row = json.loads(data)
        asset = row["asset"]
        asset["sha256"] = bytes.fromhex(asset["sha256"])
        asset["capture_time"] = asset["capture_time"] and datetime.fromisoformat(asset["capture_time"])
        if "capture_utc_offset" in asset:
            asset["capture_utc_offset"] = timedelta(seconds=asset["capture_utc_offset"])
        for name, kind in (("capture_time_source", Source), ("capture_time_precision", Precision)):
            if name in asset:
                asset[name] = kind(asset[name])
        return cls(Asset(**asset), MediaForm(row["form"]), row["size_bytes"], bytes.fromhex(row["sha256"]))


@dataclass(frozen=True)
class MediaMetadata:
    """What is known of a media before its pixels are decoded; only ever stored or sent sealed.

    Attributes:
        sha256: Of the original file.
        form: What is kept.
        size_bytes: Of what is kept.
        content_type: Of what is kept, found from its content.
        width: Of the upright original in pixels.
        height: Of the upright original in pixels.
        orientation: EXIF orientation of the file that a decoder still has to apply, 1 to 8.
        file_name: As the phone shows it.
        capture_time: When it was taken; None if that is not known.
        capture_utc_offset: Of the wall clock there and then; None if not known.
        favorite: Whether its owner marked it.
        screenshot: Whether the phone knows it for a screenshot.
        hidden: Whether its owner hid it.
        capture_time_source: What says when it was taken; None if that is not known.
        capture_time_precision: How exactly; None if that is not known.
    """

    sha256: bytes = field(repr=False)
    form: MediaForm
    size_bytes: int
    content_type: str
    width: int
    height: int
    orientation: int
    file_name: str
    capture_time: datetime | None
    capture_utc_offset: timedelta | None
    favorite: bool
    screenshot: bool
    hidden: bool = False
    capture_time_source: Source | None = None
    capture_time_precision: Precision | None = None


@dataclass(frozen=True)
class Upload:
    """An upload as its owner sees it.

    Attributes:
        id: Its name's UUID.
        client_id: The phone's own name for the asset; empty once that cannot be known any more.
        committed_bytes: Bytes that are durably stored.
        size_bytes: Bytes announced.
        create_time: When it was started.
        expire_time: When it is given up.
        media_id: The media made of it; None until it is complete.
    """

    id: UUID
    client_id: str
    committed_bytes: int
    size_bytes: int
    create_time: datetime
    expire_time: datetime
    media_id: UUID | None


@dataclass(frozen=True)
class Media:
    """A media as its owner sees it; one that is missing has lost its bytes, and is asked for again."""

    id: UUID
    metadata: MediaMetadata
    purpose: Purpose
    upload_time: datetime
    delete_time: datetime
    missing: bool = False


def media_name(media_id: UUID) -> str:
    """Return the resource name of a media."""
    return f"media/{media_id}"


def upload_name(upload_id: UUID) -> str:
    """Return the resource name of an upload."""
    return f"uploads/{upload_id}"


@dataclass(frozen=True, order=True)
class PageStart:
    """Where a page begins: behind what was made then under this id."""

    time: datetime
    id: UUID


@dataclass(frozen=True)
class Usage:
    """What a person uses of the service.

    Attributes:
        used: What is taken of the person's share.
        media_count: Media kept.
        open_upload_count: Uploads that are open.
    """

    used: Used
    media_count: int
    open_upload_count: int
