"""Findings of a picture: plain values; places are relative (0..1) to the upright picture."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.analysis.domain.media import MediaState, ParkedReason

Embedding: TypeAlias = NDArray[np.float32]
Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, width, height."""


class Kind(StrEnum):
    """What kind of picture it is."""

    PHOTO = "photo"
    DOCUMENT = "document"
    RECEIPT = "receipt"
    SCREENSHOT = "screenshot"


@dataclass(frozen=True)
class Metadata:
    """What ingest knew of a media before it was analysed.

    Attributes:
        width: Of the upright original, in pixels.
        height: Likewise.
        orientation: EXIF orientation of the file, 1 to 8.
        capture_time: When it was taken; None if not known.
        utc_offset: Of the wall clock then; None if not known.
        favorite: Whether its owner marked it.
        screenshot: Whether the phone knows it for a screenshot.
        hidden: Whether its owner hid it.
    """

    width: int
    height: int
    orientation: int
    capture_time: datetime | None
    utc_offset: timedelta | None
    favorite: bool
    screenshot: bool
    hidden: bool = False


@dataclass(frozen=True)
class Tag:
    """Something in a picture, and its probability, 0..1."""

    name: str
    score: float


@dataclass(frozen=True)
class FoundFace:
    """A face.

    Attributes:
        box: Left, top, width, height.
        score: How sure the detector is, 0..1.
        landmarks: Left eye, right eye, nose, left and right corner of the mouth, as seen: five pairs of x and y.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...]


class Sensitivity(StrEnum):
    """How intimate a picture is: nothing is derived from what is excluded, and no idea uses it or what is doubtful."""

    SAFE = "SAFE"
    REVIEW = "REVIEW"
    EXCLUDED = "EXCLUDED"


@dataclass(frozen=True)
class Rating:
    """How intimate a picture is, and the probability of that, 0..1."""

    level: Sensitivity
    score: float


@dataclass(frozen=True)
class TextLine:
    """A line of text.

    Attributes:
        text: What it says, as far as it could be read.
        score: How sure the reader is, 0..1.
        box: Left, top, width, height.
    """

    text: str
    score: float
    box: Box


@dataclass(frozen=True)
class Writing:
    """What is written in a picture: the share of it that text covers, 0..1, and the lines, from top to bottom."""

    area: float = 0.0
    lines: tuple[TextLine, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Meaning:
    """What a picture shows, as the sentences of a text encoder would say it.

    Attributes:
        vector: Of length 1; to be compared with that of a query.
        space: Identity of what made it: only vectors of the same space can be compared.
    """

    vector: Embedding = field(repr=False)
    space: str


@dataclass(frozen=True)
class SceneFindings:
    """What the picture shows: the findings kept for the media's own purpose.

    Attributes:
        metadata: What was known before.
        kind: Kind of picture.
        kind_score: Its probability, 0..1.
        tags: Most likely first.
        faces: Largest first.
        sharpness: 0 (blurred) to 1 (crisp).
        exposure: 0 (black or burnt out) to 1.
        perceptual_hash: 64 bits.
        embedding: Of the scene encoder, of the length that it has; zeros where the picture is excluded.
        rating: How intimate it is; None in records older than the rating.
        writing: What is written in it.
        meaning: What it is found by in words; None where the picture is excluded, and in older records.
    """

    metadata: Metadata
    kind: Kind
    kind_score: float
    tags: tuple[Tag, ...]
    faces: tuple[FoundFace, ...]
    sharpness: float
    exposure: float
    perceptual_hash: int
    embedding: Embedding = field(repr=False)
    rating: Rating | None = None
    writing: Writing = Writing()
    meaning: Meaning | None = None


@dataclass(frozen=True)
class Parked:
    """Why nothing was found: kept in place of `SceneFindings`."""

    reason: ParkedReason
    detail: str


@dataclass(frozen=True)
class Position:
    """A place in degrees on the WGS 84 ellipsoid, north and east positive."""

    latitude: float
    longitude: float


@dataclass(frozen=True)
class Place:
    """The findings kept for LOCATION: where the picture says it was taken, if it says so."""

    position: Position | None


@dataclass(frozen=True)
class Templates:
    """The findings kept for FACE_GROUPING.

    Attributes:
        by_face: Index among `SceneFindings.faces` -> [128] descriptor; faces that are too small or unsure have none.
    """

    by_face: dict[int, Embedding] = field(repr=False)


@dataclass(frozen=True)
class Analysis:
    """What is known of one media, for its owner.

    Attributes:
        media: Its id.
        state: How far it has come.
        parked: Why it is parked, if it is.
        models: Identities of the models that made the findings shown.
        analyze_time: When its analysis was last committed.
        delete_time: When the media is gone at the latest.
        scene: Absent unless done.
        place: Absent without LOCATION.
        templates: Absent without FACE_GROUPING.
        duplicate_group: The media that leads its group of near-duplicates, if it is in one.
    """

    media: UUID
    state: MediaState
    parked: Parked | None = None
    models: tuple[str, ...] = ()
    analyze_time: datetime | None = None
    delete_time: datetime | None = None
    scene: SceneFindings | None = None
    place: Place | None = None
    templates: Templates | None = None
    duplicate_group: UUID | None = None
