"""Keys of purposes and of artefacts, and when they end."""

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

CLOCK_SLACK = timedelta(hours=1)
"""How far another service's clock may be ahead when it asks for the longest retention."""
KEY_SIZE = 32
"""Bytes of every key."""
FIRST_ID = "00000000-0000-0000-0000-000000000000"
"""Lower than the id of every data key."""
_UNIX_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
NO_CONTEXT = b""
NO_EPOCH = ""
"""Epoch of a data key from before data keys were bound to one."""


class Purpose(StrEnum):
    """What a person may consent to."""

    CLOUD_PROCESSING = "CLOUD_PROCESSING"
    OLDER_MEDIA = "OLDER_MEDIA"
    LOCATION = "LOCATION"
    FACE_GROUPING = "FACE_GROUPING"
    GENERATIVE_EDITING = "GENERATIVE_EDITING"
    MODEL_IMPROVEMENT = "MODEL_IMPROVEMENT"


MEDIA_PURPOSES = frozenset({Purpose.CLOUD_PROCESSING, Purpose.OLDER_MEDIA})
"""Purposes under which media come in."""


@dataclass(frozen=True)
class WrappedKey:
    """A key sealed under the key of an epoch, or one of a purpose and one of an epoch together; and the epoch's id."""

    epoch: str
    sealed: bytes


@dataclass(frozen=True)
class Derivation:
    """What is derived from the key of an epoch, where that key itself stays elsewhere.

    Attributes:
        epoch: Its id.
        context: Whose and what for (`context_of`); `NO_CONTEXT` for what tells the key from another one's.
    """

    epoch: str
    context: bytes


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

    def narrows(self, earlier: "PurposeKey") -> bool:
        """Tell whether its bound leaves out media that an earlier one covered."""
        if self.reach_back_time is None:
            return False
        return earlier.reach_back_time is None or earlier.reach_back_time < self.reach_back_time

    def covers(self, capture_time: datetime | None) -> bool:
        """Tell whether the grant covers a media taken at a time, or at one that is not known."""
        return self.reach_back_time is None or (capture_time is not None and capture_time >= self.reach_back_time)

    @staticmethod
    def aad_of(subject: str, purpose: Purpose, revision: int) -> bytes:
        """Return what the key of a purpose is bound to."""
        return f"{subject}|{purpose}|{revision}".encode()


@dataclass(frozen=True)
class Grant:
    """A decision for a purpose.

    Attributes:
        subject: The person's pseudonym.
        purpose: What for.
        revision: Consent revision of the decision.
        expire_time: When it ends by itself.
        decide_time: When the person decided.
        reach_back_time: OLDER_MEDIA only: media taken then or later are covered; None is without bound.
    """

    subject: str
    purpose: Purpose
    revision: int
    expire_time: datetime
    decide_time: datetime
    reach_back_time: datetime | None = None


@dataclass(frozen=True)
class DataKeyRequest:
    """What a new data key is for.

    Attributes:
        delete_time: When it is destroyed at the latest.
        lineage: The media that the artefact derives from.
        capture_time: When the media was taken that it seals and that comes in under OLDER_MEDIA.
    """

    delete_time: datetime
    lineage: tuple[UUID, ...]
    capture_time: datetime | None = None


@dataclass(frozen=True)
class OpenKey:
    """A data key in clear; like everywhere here, its id is a UUID in canonical form."""

    id: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class SealedKey:
    """A data key sealed under its purpose key and an epoch's."""

    id: str
    wrapped: WrappedKey


@dataclass(frozen=True)
class SealedKeys:
    """Data keys that hang on one purpose key."""

    purpose_key: PurposeKey
    keys: tuple[SealedKey, ...]


@dataclass(frozen=True)
class Portion:
    """Data keys of an epoch in the order of their ids: those that live, and the last id; empty at the end."""

    living: tuple[SealedKeys, ...]
    last: str


@dataclass(frozen=True)
class NewKeyRow:
    """A data key about to be stored."""

    id: str
    wrapped: WrappedKey
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


def media_name(media: UUID) -> str:
    """Return the resource name of a media."""
    return f"media/{media}"


def older_media(lineages: Iterable[Sequence[UUID]]) -> set[UUID]:
    """Return the media that may have come in under OLDER_MEDIA, given the lineages of that purpose's keys.

    Such a media has a key whose lineage is that media alone; a longer lineage may name newer media as well.
    """
    return {lineage[0] for lineage in lineages if len(lineage) == 1}


def new_media(purpose: Purpose, requests: Iterable[DataKeyRequest], known: Container[UUID]) -> dict[UUID, datetime]:
    """Return the media that come in with these keys, and when they end.

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
    """Return the request with its time brought forward to the first end of a media that it derives from."""
    times = [ends[media] for media in request.lineage if media in ends]
    return replace(request, delete_time=min([request.delete_time, *times]))


def is_too_far(delete_time: datetime, now: datetime, longest_days: int) -> bool:
    """Tells whether a delete-by time is not between now and the longest retention."""
    return not now < delete_time <= now + timedelta(days=longest_days) + CLOCK_SLACK


def context_of(aad: bytes) -> bytes:
    """Return what all keys of a person and a purpose have in common, of what one of them is bound to."""
    return aad.rpartition(b"|")[0]


def data_key_aad(id_: str, purpose: Purpose, epoch: str) -> bytes:
    """Return what a data key is bound to: no row's key can stand in for another's."""
    bound_to = (id_, purpose) if epoch == NO_EPOCH else (id_, purpose, epoch)
    return "|".join(bound_to).encode()


def data_key_secret(key: bytes, capture_time: datetime | None) -> bytes:
    """Return what is sealed of a data key: the key, and when the media was taken if that decides about it."""
    return key if capture_time is None else key + ((capture_time - _UNIX_TIME) // _MICROSECOND).to_bytes(8, signed=True)


def key_of(secret: bytes) -> bytes:
    """Return the data key itself."""
    return secret[:KEY_SIZE]


def capture_time_of(secret: bytes) -> datetime | None:
    """Return when the media was taken that a data key seals, if that is known."""
    if len(secret) == KEY_SIZE:
        return None
    return _UNIX_TIME + int.from_bytes(secret[KEY_SIZE:], signed=True) * _MICROSECOND


def new_key() -> bytes:
    """Return 32 random bytes."""
    return os.urandom(KEY_SIZE)
