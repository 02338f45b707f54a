"""Pool of keys for new media: asked for together, and a few ahead of need while a phone sends its roll.

A phone sends a roll, and every photo of it needs a key of the same person and purpose. What is asked for while a
request is on its way goes along with the next one, and that one asks for as many more as were needed in the last
second. So the retention service makes one transaction where there were many, and a lone upload costs what it did. A
key that was not taken within four seconds is destroyed; it has sealed nothing.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from services.chassis.clock import Clock
from services.chassis.errors import DomainError
from services.ingest.domain.media import media_name
from services.keyring import DataKey, Keyring, NewDataKey, Purpose

MAX_TOGETHER = 100
"""Keys in one request."""
MAX_AHEAD = 16
"""Keys asked for ahead of need."""
HOLD_SECONDS = 4.0
"""How long a key is held that is not taken; less than a keyring holds one."""
_DEMAND_SECONDS = 1.0
_REMEMBERED = 1000

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class MediaKey:
    """A new media's id, and the key made for it.

    Attributes:
        media_id: In the key's lineage.
        key: The key.
        delete_time: When it is destroyed at the latest.
    """

    media_id: UUID
    key: DataKey
    delete_time: datetime


@dataclass(frozen=True)
class _Waiting:
    """A call that waits for a key; `taken`: when its media was taken, where the key has to know."""

    answer: "asyncio.Future[MediaKey]"
    taken: datetime | None


@dataclass
class _Owner:
    """What one person's uploads for one purpose need."""

    subject: str
    purpose: Purpose
    waiting: deque[_Waiting] = field(default_factory=deque)
    spare: deque[MediaKey] = field(default_factory=deque)
    asked_at: deque[float] = field(default_factory=deque)
    running: "asyncio.Task[None] | None" = None

    @property
    def is_idle(self) -> bool:
        return not (self.waiting or self.spare or self.running)


class KeyPool:
    """Hands out keys of new media."""

    def __init__(self, keyring: Keyring, clock: Clock, retention: timedelta) -> None:
        """Begins.

        Args:
            keyring: Makes the keys.
            clock: Says when a media that comes in now ends.
            retention: How long a media is kept.
        """
        self._keyring = keyring
        self._clock = clock
        self._retention = retention
        self._owners: dict[tuple[str, Purpose], _Owner] = {}
        self._destroying: set[asyncio.Task[None]] = set()

    async def take(self, *, subject: str, purpose: Purpose, taken: datetime | None = None) -> MediaKey:
        """Return the key of a new media; raise what `Keyring.create` raises.

        Args:
            subject: Whose.
            purpose: Under which it comes in.
            taken: When it was taken, if it comes in under OLDER_MEDIA: its key is made for it and for no other.
        """
        owner = self._owners.setdefault((subject, purpose), _Owner(subject, purpose))
        owner.asked_at.append(asyncio.get_running_loop().time())
        while owner.spare and taken is None:
            made = owner.spare.popleft()
            if await self._still_opens(owner, made):
                return made
        answer: asyncio.Future[MediaKey] = asyncio.get_running_loop().create_future()
        owner.waiting.append(_Waiting(answer, taken))
        if owner.running is None:
            # In a context of its own: the deadline of the call that happens to be first is not that of the others.
            owner.running = asyncio.create_task(self._serve(owner), context=Context())
        return await answer

    async def _still_opens(self, owner: _Owner, made: MediaKey) -> bool:
        """Tells whether a key survived what the person decided since it was made; the keyring mostly knows at once."""
        opened = await self._keyring.open(subject=owner.subject, purpose=owner.purpose, ids=[made.key.id])
        return made.key.id in opened

    async def _serve(self, owner: _Owner) -> None:
        try:
            while owner.waiting:
                waiting = [owner.waiting.popleft() for _ in range(min(len(owner.waiting), MAX_TOGETHER))]
                await self._answer(owner, waiting)
        finally:
            owner.running = None
            self._forget(owner)

    async def _answer(self, owner: _Owner, waiting: Sequence[_Waiting]) -> None:
        try:
            keys = await self._make(owner, [call.taken for call in waiting] + [None] * self._ahead(owner, len(waiting)))
        except BaseException as error:
            for call in waiting:
                if not call.answer.done():
                    call.answer.set_exception(error)
            if not isinstance(error, DomainError):
                raise
            return
        for call in waiting:
            made = keys.popleft()
            if call.answer.done():
                keys.append(made)
            else:
                call.answer.set_result(made)
        owner.spare += keys
        if keys:
            asyncio.get_running_loop().call_later(HOLD_SECONDS, self._let_go, owner, list(keys))

    async def _make(self, owner: _Owner, taken: Sequence[datetime | None]) -> deque[MediaKey]:
        delete_time = self._clock.now() + self._retention
        ids = [uuid4() for _ in taken]
        requests = [
            NewDataKey(delete_by=delete_time, lineage=(media_name(media_id),), capture_time=time)
            for media_id, time in zip(ids, taken, strict=True)
        ]
        keys = await self._keyring.create(subject=owner.subject, purpose=owner.purpose, keys=requests)
        return deque(MediaKey(media_id, key, delete_time) for media_id, key in zip(ids, keys, strict=True))

    def _ahead(self, owner: _Owner, now_needed: int) -> int:
        """Return how many more than are needed now to ask for: what the last second asked for besides."""
        if owner.purpose is Purpose.OLDER_MEDIA:
            return 0  # each of its keys knows when its media was taken
        since = asyncio.get_running_loop().time() - _DEMAND_SECONDS
        while owner.asked_at and owner.asked_at[0] < since:
            owner.asked_at.popleft()
        return max(0, min(len(owner.asked_at) - now_needed, MAX_AHEAD))

    def _let_go(self, owner: _Owner, keys: Sequence[MediaKey]) -> None:
        """Destroy those of the keys that were not taken."""
        left = [key for key in keys if key in owner.spare]
        for key in left:
            owner.spare.remove(key)
        self._forget(owner)
        if left:
            task = asyncio.create_task(self._destroy(owner.subject, left), context=Context())
            self._destroying.add(task)
            task.add_done_callback(self._destroying.discard)

    async def _destroy(self, subject: str, keys: Sequence[MediaKey]) -> None:
        try:
            await self._keyring.destroy(subject=subject, ids=[each.key.id for each in keys])
        except DomainError as error:  # they die by their deadline
            _log.warning("spare_keys_left", count=len(keys), reason=error.reason)

    def _forget(self, owner: _Owner) -> None:
        """Forget an owner who needs nothing now, if many are remembered."""
        if owner.is_idle and len(self._owners) > _REMEMBERED:
            self._owners.pop((owner.subject, owner.purpose), None)
