"""Media, how far their analysis has come, and the claims under which it is done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.keyring import Purpose

MEDIA_PREFIX = "media/"
ANALYSIS_SUFFIX = "/analysis"


def analysis_name(media: UUID) -> str:
    """Return the resource name of a media's analysis."""
    return f"{MEDIA_PREFIX}{media}{ANALYSIS_SUFFIX}"


def analyzed_media(name: str) -> UUID:
    """Return the id of the media that an analysis of this name is of."""
    return UUID(name.removeprefix(MEDIA_PREFIX).removesuffix(ANALYSIS_SUFFIX))


class MediaState(StrEnum):
    """How far the analysis of a media has come."""

    PENDING = "PENDING"
    DONE = "DONE"
    PARKED = "PARKED"


class ParkedReason(StrEnum):
    """Why a media is not analysed."""

    CORRUPT = "CORRUPT"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    MODEL_REFUSED = "MODEL_REFUSED"
    OBJECT_BROKEN = "OBJECT_BROKEN"
    GIVEN_UP = "GIVEN_UP"


class PreviewSize(StrEnum):
    """The previews that are kept of a media."""

    THUMBNAIL = "THUMBNAIL"
    SCREEN = "SCREEN"


@dataclass(frozen=True)
class StoredMedia:
    """A media as ingest announced it.

    Attributes:
        media: Its id.
        subject: The person's pseudonym.
        purpose: What it is kept for: CLOUD_PROCESSING or OLDER_MEDIA.
        data_key_id: Data key of the sealed stream and of the metadata.
        purpose_revision: Fencing number of the purpose's key.
        objects: Names in the bucket `media`; their bytes, in order, are one sealed stream.
        sealed_metadata: What is known of it already.
        metadata_revision: Grows with every change of the media and of what is known of it.
        delete_time: When it is gone at the latest.
        upload_time: When it was uploaded, while it has never been analysed.
    """

    media: UUID
    subject: str
    purpose: Purpose
    data_key_id: str
    purpose_revision: int
    objects: tuple[str, ...]
    sealed_metadata: bytes = field(repr=False)
    metadata_revision: int
    delete_time: datetime
    upload_time: datetime | None = None

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"{MEDIA_PREFIX}{self.media}"


@dataclass(frozen=True)
class MetadataUpdate:
    """What is known of a media after its owner changed it.

    Attributes:
        media: Its id.
        subject: The person's pseudonym.
        data_key_id: Data key of the metadata, which is that of the media.
        sealed_metadata: All of it.
        metadata_revision: The later of two updates has the greater one.
    """

    media: UUID
    subject: str
    data_key_id: str
    sealed_metadata: bytes = field(repr=False)
    metadata_revision: int


@dataclass(frozen=True)
class Claim:
    """A media that this worker, and no other, works on until the claim runs out.

    Attributes:
        stored: The media.
        id: Of the claim: a commit under another one is refused.
        generation: Rises whenever more becomes due; a commit ends the one it was claimed with.
        attempts: Times it was claimed since it was last done, this one included.
        faults: Failures since then that no outage explains.
        made: For each purpose that has findings, the models that made them.
        draft: Name of the object in which this claim may store the previews.
        state: How far it was: a media that is not PENDING has findings by other models, which serve meanwhile.
        trace: What the work goes on with, as a W3C traceparent; empty for none.
    """

    stored: StoredMedia
    id: UUID
    generation: int
    attempts: int
    faults: int
    made: Mapping[Purpose, str] = field(hash=False)
    draft: str
    state: MediaState = MediaState.PENDING
    trace: str = ""

    @property
    def renews(self) -> bool:
        """Whether there is something already, and this takes its place."""
        return self.state is not MediaState.PENDING
