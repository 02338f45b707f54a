"""A keyring in memory, with the powers of the retention service: grant, withdraw, erase, let time pass."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from services.chassis.clock import Clock
from services.keyring import DataKey, MediaErased, NewDataKey, PurposeNotGranted
from services.keyring.wakes import RevocationWakes

MEDIA_PURPOSES = ("CLOUD_PROCESSING", "OLDER_MEDIA")


@dataclass(frozen=True)
class _Kept:
    key: bytes
    subject: str
    purpose: str
    revision: int
    delete_by: datetime
    lineage: tuple[str, ...]
    capture_time: datetime | None


@dataclass(frozen=True)
class _Media:
    purpose: str
    revision: int
    delete_by: datetime


class FakeKeyring:
    """Implements `services.keyring.Keyring`; what a test does to it happens at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._granted: dict[tuple[str, str], int] = {}
        self._reach_back: dict[str, datetime | None] = {}
        self._kept: dict[str, _Kept] = {}
        self._media: dict[tuple[str, str], _Media] = {}
        self._erased: set[tuple[str, str]] = set()
        self._last_revision = 0
        self._wakes = RevocationWakes()

    async def create(self, *, subject: str, purpose: str, keys: Sequence[NewDataKey]) -> list[DataKey]:
        """Create data keys; nothing derives from a media that is gone, or outlives one."""
        revision = self._revision(subject, purpose)
        for media in {media for key in keys for media in key.lineage}:
            if self._is_gone(subject, media):
                raise MediaErased(f"{media} is gone", metadata={"media": media})
        return [self._keep(subject, purpose, revision, key) for key in keys]

    async def open(self, *, subject: str, purpose: str, ids: Sequence[str]) -> dict[str, bytes]:
        """Open data keys; those that are destroyed, past or foreign are absent."""
        owner = (subject, purpose, self._revision(subject, purpose))
        found = {id_: self._kept[id_] for id_ in ids if id_ in self._kept}
        return {
            id_: kept.key
            for id_, kept in found.items()
            if (kept.subject, kept.purpose, kept.revision) == owner and kept.delete_by > self._clock.now()
        }

    async def reach_back(self, *, subject: str) -> datetime | None:
        """Says how far OLDER_MEDIA reaches back."""
        self._revision(subject, "OLDER_MEDIA")
        return self._reach_back.get(subject)

    async def kept_media(self, *, subject: str, media: Sequence[str]) -> set[str]:
        """Tell which media a person still has."""
        living = {
            name
            for kept in self._kept.values()
            if kept.subject == subject and kept.delete_by > self._clock.now()
            if self._granted.get((subject, kept.purpose)) == kept.revision
            for name in kept.lineage
        }
        return living & set(media)

    async def destroy(self, *, subject: str, ids: Sequence[str]) -> int:
        """Destroys data keys."""
        return self._destroy({id_ for id_ in ids if id_ in self._kept and self._kept[id_].subject == subject})

    def revocations(self, subject: str) -> AbstractContextManager[asyncio.Event]:
        """Give an event that is set when keys of a person are destroyed."""
        return self._wakes.waiting(subject)

    def grant(self, subject: str, *purposes: str, reach_back: datetime | None = None) -> int:
        """Grants purposes, and returns the fencing number of the last one."""
        for purpose in purposes:
            if (subject, purpose) not in self._granted:
                self._last_revision += 1
                self._granted[subject, purpose] = self._last_revision
        if "OLDER_MEDIA" in purposes:
            self._reach_back[subject] = reach_back
            self._narrow(subject, reach_back)
        return self._granted[subject, purposes[-1]]

    def destroy_purpose(self, subject: str, purpose: str) -> int | None:
        """Withdraws a purpose, and returns the fencing number of the key that was destroyed, if there was one."""
        self._wakes.wake(subject)
        return self._granted.pop((subject, purpose), None)

    def destroy_media(self, subject: str, media: str) -> set[str]:
        """Erases a media, and returns the ids of the keys that had it in their lineage."""
        self._erased.add((subject, media))
        ids = {id_ for id_, kept in self._kept.items() if kept.subject == subject and media in kept.lineage}
        self._destroy(ids)
        return ids

    def destroy_subject(self, subject: str) -> int:
        """Erases everything of a person, and returns a fencing number above all of theirs."""
        self._wakes.wake(subject)
        for owner in [owner for owner in self._granted if owner[0] == subject]:
            del self._granted[owner]
        self._destroy({id_ for id_, kept in self._kept.items() if kept.subject == subject})
        self._last_revision += 1
        return self._last_revision

    def lineage(self, id_: str) -> tuple[str, ...]:
        """Return the lineage of a key that exists."""
        return self._kept[id_].lineage

    def _narrow(self, subject: str, reach_back: datetime | None) -> None:
        """Erase the media that a grant of OLDER_MEDIA leaves out."""
        for kept in list(self._kept.values()):
            if kept.subject == subject and reach_back and kept.capture_time and kept.capture_time < reach_back:
                self.destroy_media(subject, kept.lineage[0])

    def _revision(self, subject: str, purpose: str) -> int:
        if (subject, purpose) not in self._granted:
            raise PurposeNotGranted(f"{purpose} is not granted", metadata={"purpose": purpose})
        return self._granted[subject, purpose]

    def _is_gone(self, subject: str, media: str) -> bool:
        came_in = self._media.get((subject, media))
        if (subject, media) in self._erased or came_in is None:
            return (subject, media) in self._erased
        granted = self._granted.get((subject, came_in.purpose))
        return granted != came_in.revision or came_in.delete_by <= self._clock.now()

    def _keep(self, subject: str, purpose: str, revision: int, key: NewDataKey) -> DataKey:
        if purpose in MEDIA_PURPOSES and len(key.lineage) == 1:
            self._media.setdefault((subject, key.lineage[0]), _Media(purpose, revision, key.delete_by))
        known = [self._media[subject, media] for media in key.lineage if (subject, media) in self._media]
        delete_by = min([key.delete_by, *(media.delete_by for media in known)])
        id_, secret = str(uuid4()), os.urandom(32)
        self._kept[id_] = _Kept(secret, subject, purpose, revision, delete_by, key.lineage, key.capture_time)
        return DataKey(id_, secret, revision)

    def _destroy(self, ids: set[str]) -> int:
        for id_ in ids:
            del self._kept[id_]
        return len(ids)
