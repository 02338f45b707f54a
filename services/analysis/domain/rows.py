"""Rows of the service's tables, as the store gives and takes them: what is in clear, and what is sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.analysis.domain.media import Claim, MediaState, ParkedReason, PreviewSize
from services.keyring import Purpose


@dataclass(frozen=True)
class SealedFindings:
    """A record of findings as it is stored."""

    media_id: UUID
    purpose: str
    models: str
    data_key_id: UUID
    purpose_revision: int
    sealed: bytes = field(repr=False)
    metadata_revision: int = 0


@dataclass(frozen=True)
class StoredPreview:
    """A preview as it is stored: sealed, in some bytes of an object."""

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
        previews: Previews made.
        trace: What its event goes on with, as a W3C traceparent; empty for none.
    """

    claim: Claim
    parked: ParkedReason | None
    findings: tuple[SealedFindings, ...]
    previews: tuple[StoredPreview, ...]
    trace: str = ""


@dataclass(frozen=True)
class CommitOutcome:
    """What became of results.

    Attributes:
        accepted: Claims of which the result is stored.
        replaced_objects: Objects that no row names any more.
        replaced_keys: For each subject, data keys that seal nothing any more.
        outdated: Media whose owner changed them while they were analysed: their record must take that in.
    """

    accepted: frozenset[UUID]
    replaced_objects: tuple[str, ...] = ()
    replaced_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outdated: tuple[UUID, ...] = ()


class UpdateOutcome(StrEnum):
    """What became of an update of metadata."""

    UPDATED = "UPDATED"
    KNOWN = "KNOWN"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class StaleRecord:
    """A media's own record of findings, and the newer metadata that belongs into it.

    Attributes:
        media: Its id.
        subject: The person's pseudonym.
        purpose: What it is kept for.
        data_key_id: Key of the metadata.
        sealed_metadata: The metadata.
        metadata_revision: Of the metadata.
        record_key_id: Key of the record.
        sealed_record: The record.
    """

    media: UUID
    subject: str
    purpose: str
    data_key_id: UUID
    sealed_metadata: bytes = field(repr=False)
    metadata_revision: int
    record_key_id: UUID
    sealed_record: bytes = field(repr=False)


@dataclass(frozen=True)
class RenewedRecord:
    """A record with newer metadata in it, sealed under the key that it had."""

    media: UUID
    data_key_id: UUID
    sealed: bytes = field(repr=False)
    metadata_revision: int


@dataclass(frozen=True)
class DeletionSet:
    """What a purge is about to delete.

    Attributes:
        media: Media that go with all their rows.
        data_key_ids: Keys of their originals; a media that has another by now was replaced, and stays.
        objects: Names in the bucket of previews, drafts included.
        previews: How many previews are in them.
    """

    media: tuple[UUID, ...]
    data_key_ids: tuple[UUID, ...]
    objects: tuple[str, ...]
    previews: int
