"""New keys for many uploads at a time: what is asked for while a request is on its way goes along with the next one.

A phone sends several photos at once, and each needs a key of the same person and purpose. Asking for them together
costs the retention service one transaction in place of many, and costs a lone upload nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass, field

from services.chassis.errors import DomainError
from services.ingest.domain import Purpose
from services.keyring import DataKey, Keyring, NewDataKey

MAX_TOGETHER = 100
"""Keys in one request."""


@dataclass(frozen=True)
class _Wish:
    new: NewDataKey
    answer: asyncio.Future[DataKey] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class KeyPool:
    """Creates data keys one by one for its callers, together for the retention service."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._waiting: defaultdict[tuple[str, Purpose], list[_Wish]] = defaultdict(list)
        self._running: dict[tuple[str, Purpose], asyncio.Task[None]] = {}

    async def create(self, *, subject: str, purpose: Purpose, new: NewDataKey) -> DataKey:
        """Creates one data key; raises what `Keyring.create` raises."""
        wish, owner = _Wish(new), (subject, purpose)
        self._waiting[owner].append(wish)
        if owner not in self._running:
            # In a context of its own: the deadline of the call that happens to be first is not that of the others.
            self._running[owner] = asyncio.create_task(self._serve(owner), context=Context())
        return await wish.answer

    async def _serve(self, owner: tuple[str, Purpose]) -> None:
        try:
            while wishes := self._waiting[owner][:MAX_TOGETHER]:
                del self._waiting[owner][:MAX_TOGETHER]
                await self._grant(owner, wishes)
        finally:
            del self._running[owner], self._waiting[owner]

    async def _grant(self, owner: tuple[str, Purpose], wishes: Sequence[_Wish]) -> None:
        subject, purpose = owner
        try:
            keys = await self._keyring.create(subject=subject, purpose=purpose, keys=[wish.new for wish in wishes])
        except DomainError as error:
            await self._refuse(owner, wishes, error)
            return
        except BaseException as error:
            for wish in wishes:
                _fail(wish, error)
            raise
        unwanted = [key.id for wish, key in zip(wishes, keys, strict=True) if not _answer(wish, key)]
        if unwanted:
            await self._keyring.destroy(subject=subject, ids=unwanted)

    async def _refuse(self, owner: tuple[str, Purpose], wishes: Sequence[_Wish], error: DomainError) -> None:
        """Tells a lone wish; of several each is tried alone, as one can spoil the others."""
        if len(wishes) == 1:
            _fail(wishes[0], error)
            return
        for wish in wishes:
            await self._grant(owner, [wish])


def _answer(wish: _Wish, key: DataKey) -> bool:
    """Returns whether somebody still waits."""
    if wish.answer.done():
        return False
    wish.answer.set_result(key)
    return True


def _fail(wish: _Wish, error: BaseException) -> None:
    if not wish.answer.done():
        wish.answer.set_exception(error)
