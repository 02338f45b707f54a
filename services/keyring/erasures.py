"""Erasures as the service that owns the media sees them: plain data, and what asks for them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class ErasureState(StrEnum):
    """How far an erasure has come; it never goes back."""

    KEYS_DESTROYED = "KEYS_DESTROYED"
    PURGED = "PURGED"


@dataclass(frozen=True)
class StorePurge:
    """What one store deleted for an erasure; outstanding while `purge_time` is None."""

    store: str
    service: str
    purged_count: int
    purge_time: datetime | None


@dataclass(frozen=True)
class Erasure:
    """The erasure of a media.

    Attributes:
        name: `erasures/{uuid}`.
        media: `media/{uuid}`.
        state: How far it has come.
        request_time: When it was asked for.
        keys_destroy_time: When its keys were destroyed.
        purge_time: When the last store had deleted what it had; None until then.
        stores: What each store deleted.
    """

    name: str
    media: str
    state: ErasureState
    request_time: datetime
    keys_destroy_time: datetime
    purge_time: datetime | None = None
    stores: tuple[StorePurge, ...] = ()


class Erasures(Protocol):
    """Destroys everything that derives from a media, at once."""

    async def erase_media(self, *, subject: str, media: str, request_id: UUID) -> Erasure:
        """Destroy every key with this media in its lineage; purge orders to all services follow.

        Args:
            subject: The person's pseudonym.
            media: `media/{uuid}`.
            request_id: Repeating it returns the first erasure.

        Raises:
            NothingToErase: no key of the person has this media in its lineage.
            RequestIdReused: the request id belongs to the erasure of something else.
            DependencyUnavailable: the retention service does not answer.
        """

    async def shorten_deadline(self, *, subject: str, media: str, delete_by: datetime, request_id: UUID) -> datetime:
        """Bring the end of a media and of all that derives from it forward, and return when it is.

        Raises:
            NothingToErase: no key of the person has this media in its lineage.
            DependencyUnavailable: the retention service does not answer.
        """
