"""Data keys as the services that seal things see them."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class NewDataKey:
    """What a new data key is for.

    Attributes:
        delete_by: When the key is destroyed at the latest; aware, at most 30 days ahead.
        lineage: Resource names (`media/{uuid}`) of the media that the artefact derives from, itself included if it
            is one. Erasing any of them destroys this key. The key that seals a media taken under OLDER_MEDIA, and
            the keys of what is learnt from it alone, name just that media.
        capture_time: When the media was taken that it seals, if that comes in under OLDER_MEDIA; aware.
    """

    delete_by: datetime
    lineage: tuple[str, ...] = ()
    capture_time: datetime | None = None


@dataclass(frozen=True)
class DataKey:
    """A data key in clear.

    Attributes:
        id: A UUID in its canonical form, stored beside what the key seals; the artefact in the seal's AAD.
        key: 32 bytes for AES-256-GCM.
        purpose_revision: Fencing number of the purpose's key: stored with the result, and compared with the fence
            in the transaction that stores it.
    """

    id: str
    key: bytes = field(repr=False)
    purpose_revision: int


class Keyring(Protocol):
    """Creates, opens and destroys data keys for one service."""

    async def create(self, *, subject: str, purpose: str, keys: Sequence[NewDataKey]) -> list[DataKey]:
        """Create data keys, owned by the calling service, in the order asked for.

        Args:
            subject: The person's pseudonym.
            purpose: Name of the purpose, such as "LOCATION".
            keys: One for each artefact; any number.

        Raises:
            PurposeNotGranted: the person has no key for the purpose, or does not cover when a media was taken.
            MediaErased: a media of a lineage is gone; nothing was created for that request.
            DependencyUnavailable: the retention service does not answer.
        """

    async def open(self, *, subject: str, purpose: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the keys that can be opened, by id; destroyed, past and foreign ones are absent.

        Without ids it returns nothing, but only for who has granted the purpose.

        Raises:
            PurposeNotGranted: the person has no key for the purpose.
            DependencyUnavailable: the retention service does not answer.
        """

    async def reach_back(self, *, subject: str) -> datetime | None:
        """Return the time that OLDER_MEDIA reaches back to; None if it reaches back without bound.

        Raises:
            PurposeNotGranted: the person has not granted OLDER_MEDIA.
            DependencyUnavailable: the retention service does not answer.
        """

    async def kept_media(self, *, subject: str, media: Sequence[str]) -> set[str]:
        """Return those of the media that a person still has: of which a key lives.

        Args:
            subject: The person's pseudonym.
            media: Resource names, at most 1000.

        Raises:
            DependencyUnavailable: the retention service does not answer.
        """

    async def destroy(self, *, subject: str, ids: Sequence[str]) -> int:
        """Destroys keys that the calling service created, and returns how many there were.

        No purge order follows: the caller deletes what they sealed.

        Raises:
            DependencyUnavailable: the retention service does not answer.
        """

    def revocations(self, subject: str) -> AbstractContextManager[asyncio.Event]:
        """Give an event that is set when keys of a person may have been destroyed; it is the waiter who clears it."""
