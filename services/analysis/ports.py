"""Ports: what the operations need of the database and of the models. Fakes and adapters satisfy them."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Picture
from services.analysis.domain.media import Claim, MediaState, MetadataUpdate, PreviewSize, StoredMedia
from services.analysis.domain.model_set import ModelSet
from services.analysis.domain.rows import (
    CommitOutcome,
    DeletionSet,
    MediaStatus,
    RenewedRecord,
    SealedFindings,
    SealedResult,
    StaleRecord,
    StoredPreview,
    UpdateOutcome,
)
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
        """Find face candidates on UINT8 RGB [640, 640, 3]."""

    async def classify(self, square: Picture) -> Scene:
        """Describe UINT8 RGB [224, 224, 3]."""

    async def rate(self, square: Picture) -> float:
        """Return the probability, 0..1, that UINT8 RGB [224, 224, 3] is intimate."""

    async def find_text(self, canvas: Picture) -> TextMap:
        """Return UINT8 [640, 640] for UINT8 RGB [640, 640, 3]: 255 where the heart of a line of text is for sure."""

    async def read(self, lines: Sequence[Picture]) -> list[Spelling]:
        """Read lines of text, each UINT8 RGB [48, 320, 3]."""

    async def describe(self, texts: Sequence[str]) -> Sentences:
        """Says what texts mean; there is at least one."""

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        """Return a descriptor for each UINT8 RGB [150, 150, 3]; [faces, length], of the served model's length."""

    async def identities(self) -> Mapping[str, str]:
        """Return what is served now: name of a model -> its identity, such as "face_detector-1"."""

    def paused(self) -> timedelta:
        """Return how long it makes no sense to ask; zero when it does."""


class Work(Protocol):
    """What is due, who works on it, and what came of it. Every method is one transaction."""

    async def announce(self, media: StoredMedia, now: datetime) -> bool:
        """Note a media that was stored, also in place of a lesser copy of it; tell whether that is news."""

    async def claim(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        """Claims what is due, longest due first. A claim that ran out counts as a fault of its media."""

    async def claim_renewals(self, *, limit: int, now: datetime, until: datetime) -> list[Claim]:
        """Claims media of which the findings are by other models, those stored last first."""

    async def commit(self, results: Sequence[SealedResult], now: datetime) -> CommitOutcome:
        """Store results whose claim, fence and keys still hold, with an event for each."""

    async def release(self, claims: Collection[Claim], *, at: datetime, fault: bool) -> None:
        """Give claims up; their media are due again at the time given."""

    async def defer(self, claims: Collection[Claim], *, at: datetime) -> None:
        """Give renewals up until a time, with their faults forgotten; the findings that there are serve on."""

    async def renew_stale(self, models: ModelSet, now: datetime) -> int:
        """Make some of the media due for renewal of which findings are by other models; return how many."""

    async def renew_media(self, subject: str, media: UUID, now: datetime) -> bool:
        """Make a media due for renewal although its findings are by the present models; False if it is already."""

    async def want_purpose(self, subject: str, purpose: Purpose, now: datetime) -> int:
        """Make a person's media due again that have no findings of a purpose; return how many."""

    async def subjects_without(self, purpose: Purpose, *, after: str, limit: int) -> list[str]:
        """Return persons, in order, after one, with media that are done without these findings."""


class MetadataTable(Protocol):
    """What owners change of their media. Every method is one transaction."""

    async def update_metadata(self, update: MetadataUpdate) -> UpdateOutcome:
        """Keep the metadata of a media unless it is older than what is kept."""

    async def stale_records(self, media: Sequence[UUID]) -> list[StaleRecord]:
        """Return records of these media that are older than their metadata."""

    async def media_with_stale_records(self, limit: int, without: AbstractSet[str]) -> list[tuple[str, UUID]]:
        """Return media, but these, with records that are older than their metadata, with their persons."""

    async def commit_records(self, records: Sequence[RenewedRecord]) -> None:
        """Put records in the place of older ones under the same keys, with an event for each."""


class Library(Protocol):
    """What is stored of a person, for reading."""

    async def statuses(self, subject: str, media: Sequence[UUID] | None = None) -> list[MediaStatus]:
        """Return a person's media: all, or those among some."""

    async def findings(self, subject: str, media: Sequence[UUID] | None = None) -> list[SealedFindings]:
        """Return a person's records: all, or those of some media."""

    async def own_findings(self, media: Sequence[UUID]) -> list[SealedFindings]:
        """Return the records that media have for the purposes that they are kept for."""

    async def stored_previews(self, subject: str, media: Sequence[UUID], size: PreviewSize) -> list[StoredPreview]:
        """Return the previews of one size that media of a person have."""

    async def progress(self, subject: str) -> Mapping[MediaState, int]:
        """Count a person's media by state."""

    async def at_work(self, now: datetime) -> bool:
        """Say whether media are being analysed, of whomever."""


class Purge(Protocol):
    """Deleting what can no longer be opened. Every method is one transaction; all of them can be repeated."""

    async def tombstone_keys(self, subject: str, ids: Sequence[str], now: datetime) -> tuple[DeletionSet, int]:
        """Write tombstones and delete the findings under these keys.

        Returns:
            The media whose own findings or originals they sealed, and how many records were deleted.
        """

    async def fence_purpose(self, subject: str, purpose: str, revision: int) -> tuple[DeletionSet, int]:
        """Raise the fence of a purpose and delete its findings up to the revision; return as `tombstone_keys`."""

    async def fence_subject(self, subject: str, revision: int, purposes: Sequence[str]) -> tuple[DeletionSet, int]:
        """Raise every fence and delete the person's findings up to the revision; return as `tombstone_keys`."""

    async def deletion_set(self, subject: str, data_key_ids: Sequence[UUID]) -> DeletionSet:
        """Return what goes with media whose originals these keys sealed."""

    async def delete_media(self, subject: str, deletion: DeletionSet) -> int:
        """Delete media with all their rows, but for those that were replaced meanwhile; return how many there were."""

    async def expired(
        self, now: datetime, limit: int, without: AbstractSet[str] = frozenset()
    ) -> list[tuple[str, UUID]]:
        """Return the keys, but these, of media that are past their time, with their persons."""

    async def forget_person(self, subject: str, until: datetime) -> None:
        """Delete the change feed of a person whose account goes, and their events from until a time."""

    async def forget_tombstones(self, before: datetime) -> int:
        """Delete tombstones from before a time; return how many."""
