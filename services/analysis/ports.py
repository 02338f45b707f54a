"""Ports: what the operations need of the database and of the models. Fakes and adapters satisfy them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Picture
from services.analysis.domain.media import Claim, MediaState, ParkedReason, PreviewSize, StoredMedia
from services.analysis.domain.model_set import ModelSet
from services.keyring import Purpose

Floats = NDArray[np.float32]
TextMap = NDArray[np.uint8]


@dataclass(frozen=True)
class Detections:
    """The face detector's candidates for one canvas.

    Attributes:
        boxes: [candidates, 4] left, top, right, bottom in pixels of the canvas.
        scores: [candidates], falling.
        landmarks: [candidates, 5, 2] x, y in pixels of the canvas.
    """

    boxes: Floats
    scores: Floats
    landmarks: Floats


@dataclass(frozen=True)
class Scene:
    """The scene classifier's answer for one picture.

    Attributes:
        logits: [1000].
        embedding: Of the length that the served encoder has.
        kinds: [4] probabilities, in the order of `inference.vision.kinds.KINDS`.
    """

    logits: Floats
    embedding: Floats
    kinds: Floats


@dataclass(frozen=True)
class Spelling:
    """The text reader's answer for one line: what stands at each of its steps, and how sure it is, 0..1.

    Attributes:
        tokens: [steps].
        scores: [steps].
    """

    tokens: NDArray[np.int64]
    scores: Floats


@dataclass(frozen=True)
class Sentences:
    """The text encoder's answer.

    Attributes:
        vectors: [texts, length], each of length 1.
        encoder: Its identity: only vectors of the same encoder can be compared.
    """

    vectors: Floats
    encoder: str


class Models(Protocol):
    """The nets.

    Every method raises `ModelUnavailable` (later, perhaps), `ModelAnswerBroken` (the answer cannot be used),
    `TensorRefused` (never) or `ModelMissing`.
    """

    async def detect(self, canvas: Picture) -> Detections:
        """Finds face candidates on UINT8 RGB [640, 640, 3]."""

    async def classify(self, square: Picture) -> Scene:
        """Describes UINT8 RGB [224, 224, 3]."""

    async def rate(self, square: Picture) -> float:
        """Returns the probability, 0..1, that UINT8 RGB [224, 224, 3] is intimate."""

    async def find_text(self, canvas: Picture) -> TextMap:
        """Returns UINT8 [640, 640] for UINT8 RGB [640, 640, 3]: 255 where the heart of a line of text is for sure."""

    async def read(self, lines: Sequence[Picture]) -> list[Spelling]:
        """Reads lines of text, each UINT8 RGB [48, 320, 3]."""

    async def describe(self, texts: Sequence[str]) -> Sentences:
        """Says what texts mean; there is at least one."""

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        """Returns a descriptor for each UINT8 RGB [150, 150, 3]; [faces, length], of the served model's length."""

    async def identities(self) -> Mapping[str, str]:
        """Returns what is served now: name of a model -> its identity, such as "face_detector-1"."""

    def paused(self) -> timedelta:
        """Returns how long it makes no sense to ask; zero when it does."""


@dataclass(frozen=True)
class SealedFindings:
    """A record of findings as it is stored."""

    media_id: UUID
    purpose: str
    models: str
    data_key_id: UUID
    purpose_revision: int
    sealed: bytes = field(repr=False)


@dataclass(frozen=True)
class StoredPreview:
    """A reduced copy as it is stored: sealed, in some bytes of an object."""

    media_id: UUID
    size: PreviewSize
    object: str
    byte_offset: int
    byte_count: int
    data_key_id: UUID
    purpose_revision: int


@dataclass(frozen=True)
class MediaStatus:
    """How far one media has come, as far as that stands in clear."""

    id: UUID
    purpose: Purpose
    data_key_id: UUID
    state: MediaState
    parked_reason: ParkedReason | None
    analyze_time: datetime | None
    delete_time: datetime


@dataclass(frozen=True)
class SealedResult:
    """A claim's results as they are committed, sealed.

    Attributes:
        claim: The claim.
        parked: Why nothing was found; None if something was.
        findings: Records made, at most one for each purpose.
        previews: Reduced copies made.
    """

    claim: Claim
    parked: ParkedReason | None
    findings: tuple[SealedFindings, ...]
    previews: tuple[StoredPreview, ...]


@dataclass(frozen=True)
class CommitOutcome:
    """What became of results.

    Attributes:
        accepted: Claims of which the result is stored.
        replaced_objects: Objects that no row names any more.
        replaced_keys: For each subject, data keys that seal nothing any more.
    """

    accepted: frozenset[UUID]
    replaced_objects: tuple[str, ...] = ()
    replaced_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Work(Protocol):
    """What is due, who works on it, and what came of it. Every method is one transaction."""

    async def announce(self, media: StoredMedia, now: datetime) -> bool:
        """Notes a media that was stored; returns whether it is new."""

    async def claim(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        """Claims what is due, longest due first. A claim that ran out counts as a fault of its media."""

    async def claim_renewals(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        """Claims media of which the findings are by other models, those stored last first."""

    async def commit(self, results: Sequence[SealedResult], now: datetime) -> CommitOutcome:
        """Stores results whose claim, fence and keys still hold, with an event for each."""

    async def release(self, claims: Collection[Claim], *, at: datetime, fault: bool) -> None:
        """Gives claims up; their media are due again at the time given."""

    async def defer(self, claims: Collection[Claim], *, at: datetime) -> None:
        """Gives renewals up until a time, with their faults forgotten; the findings that there are serve on."""

    async def renew_stale(self, models: ModelSet, now: datetime) -> int:
        """Makes media due for renewal of which findings are by other models; returns how many."""

    async def want_purpose(self, subject: str, purpose: Purpose, now: datetime) -> int:
        """Makes a person's media due again that have no findings of a purpose; returns how many."""

    async def subjects_without(self, purpose: Purpose, *, after: str, limit: int) -> list[str]:
        """Returns persons, in order, after one, with media that are done without these findings."""


class Library(Protocol):
    """What is stored of a person, for reading."""

    async def statuses(self, subject: str) -> list[MediaStatus]:
        """Returns every media of a person."""

    async def status(self, subject: str, media: UUID) -> MediaStatus | None:
        """Returns one media of a person."""

    async def findings(self, subject: str) -> list[SealedFindings]:
        """Returns every record of a person."""

    async def own_findings(self, media: Sequence[UUID]) -> list[SealedFindings]:
        """Returns the records that media have for the purposes that they are kept for."""

    async def preview(self, subject: str, media: UUID, size: PreviewSize) -> StoredPreview | None:
        """Returns a reduced copy."""

    async def progress(self, subject: str) -> Mapping[MediaState, int]:
        """Counts a person's media by state."""


@dataclass(frozen=True)
class DeletionSet:
    """What a purge is about to delete.

    Attributes:
        media: Media that go with all their rows.
        objects: Names in the bucket of previews, drafts included.
        previews: How many reduced copies are in them.
    """

    media: tuple[UUID, ...]
    objects: tuple[str, ...]
    previews: int


class Purge(Protocol):
    """Deleting what can no longer be opened. Every method is one transaction; all of them can be repeated."""

    async def tombstone_keys(self, subject: str, ids: Sequence[str], now: datetime) -> tuple[DeletionSet, int]:
        """Writes tombstones and deletes the findings under these keys.

        Returns:
            The media whose own findings or originals they sealed, and how many records were deleted.
        """

    async def fence_purpose(self, subject: str, purpose: str, revision: int) -> tuple[DeletionSet, int]:
        """Raises the fence of a purpose and deletes its findings up to the revision; returns as `tombstone_keys`."""

    async def fence_subject(self, subject: str, revision: int, purposes: Sequence[str]) -> tuple[DeletionSet, int]:
        """Raises every fence and deletes the person's findings up to the revision; returns as `tombstone_keys`."""

    async def deletion_set(self, subject: str, media: Sequence[UUID]) -> DeletionSet:
        """Returns what goes with media that are no more."""

    async def delete_media(self, subject: str, media: Sequence[UUID]) -> int:
        """Deletes media with all their rows; returns how many there were."""

    async def expired(self, now: datetime, limit: int) -> list[tuple[str, UUID]]:
        """Returns media that are past their time, with their persons."""

    async def forget_tombstones(self, before: datetime) -> int:
        """Deletes tombstones from before a time; returns how many."""
