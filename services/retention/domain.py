"""What the retention service knows and decides: keys, orders to delete, erasures. Pure rules, no I/O."""

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID, uuid4

OWN_NAME = "retention"
"""This service's own name, as in orders to itself."""
MAX_KEYS_IN_ORDER = 1000
"""Data keys named by one order."""
CLOCK_SLACK = timedelta(hours=1)
"""How far another service's clock may be ahead when it asks for the longest retention."""


class Purpose(StrEnum):
    """What a person may consent to."""

    CLOUD_PROCESSING = "CLOUD_PROCESSING"
    OLDER_MEDIA = "OLDER_MEDIA"
    LOCATION = "LOCATION"
    FACE_GROUPING = "FACE_GROUPING"
    GENERATIVE_EDITING = "GENERATIVE_EDITING"
    MODEL_IMPROVEMENT = "MODEL_IMPROVEMENT"


class PurgeCause(StrEnum):
    """Why keys were destroyed."""

    ERASURE = "ERASURE"
    WITHDRAWAL = "WITHDRAWAL"
    DEADLINE = "DEADLINE"


class ErasureState(StrEnum):
    """How far an erasure has come; it never goes back."""

    KEYS_DESTROYED = "KEYS_DESTROYED"
    PURGED = "PURGED"


MEDIA_PURPOSES = frozenset({Purpose.CLOUD_PROCESSING, Purpose.OLDER_MEDIA})
"""Purposes under which media come in."""


@dataclass(frozen=True)
class WrappedKey:
    """A key sealed under the key of an epoch, and the epoch's id."""

    epoch: str
    sealed: bytes


@dataclass(frozen=True)
class PurposeKey:
    """The key of a purpose for a person.

    Attributes:
        subject: The person's pseudonym.
        purpose: The purpose.
        revision: Fencing number: one for the life of the key, never used again, growing with every new key.
        consent_revision: Consent revision that granted it, or prolonged it last.
        expire_time: When the grant ends by itself.
        wrapped: The key, sealed.
        reach_back_time: OLDER_MEDIA only: media taken then or later are covered; None is without bound.
    """

    subject: str
    purpose: Purpose
    revision: int
    consent_revision: int
    expire_time: datetime
    wrapped: WrappedKey
    reach_back_time: datetime | None = None

    @property
    def aad(self) -> bytes:
        """What the key is bound to: no row's key can stand in for another's."""
        return self.aad_of(self.subject, self.purpose, self.revision)

    @staticmethod
    def aad_of(subject: str, purpose: Purpose, revision: int) -> bytes:
        """Returns what the key of a purpose is bound to."""
        return f"{subject}|{purpose}|{revision}".encode()


@dataclass(frozen=True)
class DataKeyRequest:
    """What a new data key is for.

    Attributes:
        delete_time: When it is destroyed at the latest.
        lineage: The media that the artefact derives from.
    """

    delete_time: datetime
    lineage: tuple[UUID, ...]


@dataclass(frozen=True)
class OpenKey:
    """A data key in clear; like everywhere here, its id is a UUID in canonical form."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class SealedKey:
    """A data key sealed under its purpose key."""

    id: str
    sealed: bytes


@dataclass(frozen=True)
class NewKeyRow:
    """A data key about to be stored."""

    id: str
    sealed: bytes
    delete_time: datetime
    lineage: tuple[UUID, ...]


@dataclass(frozen=True)
class DestroyedKey:
    """A data key that is gone."""

    id: str
    subject: str


@dataclass(frozen=True)
class DestroyedPurpose:
    """A purpose key that is gone."""

    purpose: Purpose
    revision: int


@dataclass(frozen=True)
class DataKeyScope:
    """Artefacts sealed under these data keys."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class PurposeScope:
    """Everything of a purpose up to a fencing number."""

    purpose: Purpose
    revision: int


@dataclass(frozen=True)
class SubjectScope:
    """Everything of a person up to a fencing number and a time."""

    revision: int
    erase_time: datetime


PurgeScope: TypeAlias = DataKeyScope | PurposeScope | SubjectScope


@dataclass(frozen=True)
class PurgeOrder:
    """An order to one service to delete what can no longer be opened."""

    service: str
    subject: str
    cause: PurgeCause
    scope: PurgeScope
    create_time: datetime
    erasure: UUID | None = None
    complete_time: datetime | None = None
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True)
class Erasure:
    """The erasure of one media, or of everything of a person if `media` is None."""

    id: UUID
    subject: str
    request_id: UUID
    media: UUID | None
    request_time: datetime
    keys_destroy_time: datetime
    purge_time: datetime | None = None

    @property
    def state(self) -> ErasureState:
        """How far it has come."""
        return ErasureState.KEYS_DESTROYED if self.purge_time is None else ErasureState.PURGED


@dataclass(frozen=True)
class StorePurge:
    """What one store deleted for an erasure; outstanding while `purge_time` is None."""

    store: str
    service: str
    purged_count: int
    purge_time: datetime | None


@dataclass(frozen=True)
class Revocation:
    """What was destroyed, for those who hold keys."""

    subject: str
    purposes: tuple[Purpose, ...] = ()
    data_key_ids: tuple[str, ...] = ()
    subject_erased: bool = False


def media_name(media: UUID) -> str:
    """Returns the resource name of a media."""
    return f"media/{media}"


def key_orders(
    destroyed: Iterable[DestroyedKey],
    services: Sequence[str],
    cause: PurgeCause,
    now: datetime,
    erasure: UUID | None = None,
) -> list[PurgeOrder]:
    """Returns orders about destroyed data keys: for each person to each service, of at most 1000 keys each."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key in destroyed:
        groups[key.subject].append(key.id)
    return [
        PurgeOrder(service, subject, cause, DataKeyScope(tuple(portion)), now, erasure)
        for subject, ids in groups.items()
        for portion in _portions(ids)
        for service in services
    ]


def key_revocations(destroyed: Iterable[DestroyedKey]) -> list[Revocation]:
    """Returns what the holders of destroyed data keys must hear, a message for each person."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key in destroyed:
        groups[key.subject].append(key.id)
    return [Revocation(subject, data_key_ids=tuple(ids)) for subject, ids in groups.items()]


def purpose_orders(
    subject: str, destroyed: DestroyedPurpose, services: Sequence[str], now: datetime
) -> list[PurgeOrder]:
    """Returns an order about a destroyed purpose key to each service, and one for our own rows."""
    scope = PurposeScope(destroyed.purpose, destroyed.revision)
    return [PurgeOrder(service, subject, PurgeCause.WITHDRAWAL, scope, now) for service in (*services, OWN_NAME)]


def older_media(lineages: Iterable[Sequence[UUID]]) -> set[UUID]:
    """Returns the media that came in under OLDER_MEDIA, given the lineages of that purpose's keys.

    Such a media has a key whose lineage is that media alone; a longer lineage may name newer media as well.
    """
    return {lineage[0] for lineage in lineages if len(lineage) == 1}


def new_media(purpose: Purpose, requests: Iterable[DataKeyRequest], known: Container[UUID]) -> dict[UUID, datetime]:
    """Returns the media that come in with these keys, and when they end.

    A media comes in with the first key whose lineage is that media alone, under a purpose that lets media in. When the
    key of that purpose is destroyed, nothing can derive from the media any more, even after a later consent.
    """
    ends: dict[UUID, datetime] = {}
    if purpose in MEDIA_PURPOSES:
        for request in requests:
            if len(request.lineage) == 1 and request.lineage[0] not in known:
                media = request.lineage[0]
                ends[media] = max(ends.get(media, request.delete_time), request.delete_time)
    return ends


def ends_first(request: DataKeyRequest, ends: Mapping[UUID, datetime]) -> DataKeyRequest:
    """Returns the request with its time brought forward to the first end of a media that it derives from."""
    times = [ends[media] for media in request.lineage if media in ends]
    return DataKeyRequest(min([request.delete_time, *times]), request.lineage)


def is_too_far(delete_time: datetime, now: datetime, longest_days: int) -> bool:
    """Tells whether a delete-by time is not between now and the longest retention."""
    return not now < delete_time <= now + timedelta(days=longest_days) + CLOCK_SLACK


def _portions(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + MAX_KEYS_IN_ORDER] for start in range(0, len(ids), MAX_KEYS_IN_ORDER)]
