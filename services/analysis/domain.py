"""How far a media has come, and what is due for it. Pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

MEDIA_PREFIX = "media/"
FIRST_DELAY = timedelta(seconds=0.5)
LONGEST_DELAY = timedelta(seconds=30)
RENEWAL_PAUSE = timedelta(hours=1)
"""After this, a media that new models could not make anything of is shown to them again."""
MAX_FAULTS = 8
"""Failures that no outage explains, after which a media is parked instead of tried again."""


class Purpose(StrEnum):
    """Purposes that analysis has to do with; names as in every package."""

    CLOUD_PROCESSING = "CLOUD_PROCESSING"
    OLDER_MEDIA = "OLDER_MEDIA"
    LOCATION = "LOCATION"
    FACE_GROUPING = "FACE_GROUPING"


EXTRA_PURPOSES = (Purpose.LOCATION, Purpose.FACE_GROUPING)
"""Purposes for which more is learnt of a media than for the one that it is kept for."""


class MediaState(StrEnum):
    """How far the understanding of a media has come."""

    PENDING = "PENDING"
    DONE = "DONE"
    PARKED = "PARKED"


class ParkedReason(StrEnum):
    """Why a media is not understood."""

    CORRUPT = "CORRUPT"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    MODEL_REFUSED = "MODEL_REFUSED"
    OBJECT_BROKEN = "OBJECT_BROKEN"
    GIVEN_UP = "GIVEN_UP"


class PreviewSize(StrEnum):
    """The reduced copies that are kept of a media."""

    THUMBNAIL = "THUMBNAIL"
    PREVIEW = "PREVIEW"


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
        delete_time: When it is gone at the latest.
    """

    media: UUID
    subject: str
    purpose: Purpose
    data_key_id: str
    purpose_revision: int
    objects: tuple[str, ...]
    sealed_metadata: bytes = field(repr=False)
    delete_time: datetime

    @property
    def name(self) -> str:
        """Its resource name."""
        return f"{MEDIA_PREFIX}{self.media}"


@dataclass(frozen=True)
class Claim:
    """A media that this worker, and no other, works on until the claim runs out.

    Attributes:
        stored: The media.
        id: Of the claim: a commit under another one is refused.
        generation: Rises whenever more becomes due; a commit settles the one it was claimed with.
        attempts: Times it was claimed since it was last done, this one included.
        faults: Failures since then that no outage explains.
        made: For each purpose that has findings, the models that made them.
        draft: Name of the object in which this claim may store the reduced copies.
        state: How far it was: a media that is not PENDING has findings by other models, which serve meanwhile.
    """

    stored: StoredMedia
    id: UUID
    generation: int
    attempts: int
    faults: int
    made: Mapping[Purpose, str] = field(hash=False)
    draft: str
    state: MediaState = MediaState.PENDING

    @property
    def renews(self) -> bool:
        """Whether there is something already, and this takes its place."""
        return self.state is not MediaState.PENDING


@dataclass(frozen=True)
class ModelSet:
    """Which models make the findings of each purpose; another set makes them due again.

    Attributes:
        seen: What makes that which is kept for the media's own purpose.
        position: What reads the place.
        templates: What makes face templates.
    """

    seen: str
    position: str
    templates: str

    def for_purpose(self, purpose: Purpose) -> str:
        """Returns what makes the findings of a purpose."""
        extra = {Purpose.LOCATION: self.position, Purpose.FACE_GROUPING: self.templates}
        return extra.get(purpose, self.seen)


def due_purposes(own: Purpose, made: Mapping[Purpose, str], models: ModelSet) -> frozenset[Purpose]:
    """Returns the purposes for which a media has no findings of the present models."""
    return frozenset(purpose for purpose in (own, *EXTRA_PURPOSES) if made.get(purpose) != models.for_purpose(purpose))


def retry_delay(attempts: int) -> timedelta:
    """Returns how long to wait after the given number of attempts: doubling, and never more than half a minute."""
    doublings: int = 2 ** min(max(attempts - 1, 0), 16)
    return min(FIRST_DELAY * doublings, LONGEST_DELAY)
