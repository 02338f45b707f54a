"""Change feed: what changed for a person since a cursor, in the order of the commits, then what changes from now on.

Only the latest change of each resource is kept, so that who was away reads what is, not what was. A feed from its
beginning is a snapshot: all resources that are there.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from services.chassis import paging
from services.chassis.changes.records import CHANNEL
from services.chassis.changes.store import ChangeStore, Head, LatestChange, Position
from services.chassis.clock import Clock
from services.chassis.errors import FieldInvalid
from services.chassis.paging import PageQuery
from services.chassis.streams import until_token_expires

_BATCH = 500


class ChangeKind(StrEnum):
    """What happened to a resource, for somebody who knows no more than the cursor tells.

    Who follows may hear CREATED of what they know and CHANGED of what they do not: both say what to fetch.
    """

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    DELETED = "DELETED"


@dataclass(frozen=True)
class Change:
    """A resource that is to be fetched, or forgotten.

    Attributes:
        resource: Its name.
        kind: What happened.
        change_time: When.
        cursor: Goes on after this change.
    """

    resource: str
    kind: ChangeKind
    change_time: datetime
    cursor: str


@dataclass(frozen=True)
class Checkpoint:
    """All that had changed when the stream was opened is told; what follows changes from now on.

    Attributes:
        cursor: Goes on from here; empty where nothing was ever there.
        snapshot: Whether the stream told all that there is, from the beginning.
    """

    cursor: str
    snapshot: bool


@dataclass(frozen=True)
class Reset:
    """The cursor is of no use any more: forget what is known; a snapshot follows."""


Item: TypeAlias = Change | Checkpoint | Reset


class Wakes(Protocol):
    """What tells that something may have changed; `listener.Listener` is one."""

    def waiting(self, channel: str, payload: str) -> AbstractContextManager["Event"]:
        """Give an event that is set at each notification."""


class Event(Protocol):
    """The part of `asyncio.Event` that a waiter needs."""

    async def wait(self) -> object:
        """Return once it is set."""

    def clear(self) -> None:
        """Unset it."""


class ChangeFeed:
    """The changes of one service's resources, person by person."""

    def __init__(self, store: ChangeStore, wakes: Wakes, clock: Clock, list_name: str) -> None:
        """Describe the feed.

        Args:
            store: Where the changes are.
            wakes: The process's listener, with the channel `change_records.CHANNEL`.
            clock: For acknowledgements and the end of tokens.
            list_name: The RPC that tells it, such as `WatchMedia`; cursors belong to it.
        """
        self._store = store
        self._wakes = wakes
        self._clock = clock
        self._list_name = list_name

    def follow(self, subject: str, cursor: str = "", *, device: str = "") -> AsyncGenerator[Item, None]:
        """Yield the changes since a cursor, a checkpoint, and then every change for as long as the token lasts.

        Args:
            subject: Pseudonym of the person.
            cursor: Of an item of this feed; empty to go on where the device acknowledged, or else with a snapshot.
            device: Name of the person's device; empty for none.

        Raises:
            FieldInvalid: the cursor is none of this person and feed.
            TokenExpired: the caller's token came to its end.
        """
        position = self._position(subject, cursor)
        return until_token_expires(self._follow(subject, position, device), self._clock)

    async def catch_up(self, subject: str, cursor: str = "", *, device: str = "") -> AsyncGenerator[Item, None]:
        """Yield the changes since a cursor up to the checkpoint; arguments and errors as for `follow`."""
        async with aclosing(self.follow(subject, cursor, device=device)) as items:
            async for item in items:
                yield item
                if isinstance(item, Checkpoint):
                    return

    async def is_empty(self, subject: str) -> bool:
        """Tell whether the person has no resource."""
        _, rows = await self._store.read(subject, None, 1)
        return not rows

    async def acknowledge(self, subject: str, device: str, cursor: str) -> None:
        """Keep that a device knows all up to a cursor; an older one than the last changes nothing.

        Raises:
            FieldInvalid: the cursor is none of this person and feed.
        """
        position = self._position(subject, cursor)
        if position is not None:
            await self._store.acknowledge(subject, device, position, self._clock.now())

    async def acknowledged(self, subject: str, device: str) -> str:
        """Return the cursor up to which a device knows all; empty when it never said."""
        position = await self._store.acknowledged(subject, device)
        return _cursor(PageQuery(self._list_name, subject), position)

    async def _follow(self, subject: str, position: Position | None, device: str) -> AsyncGenerator[Item, None]:
        if position is None and device:
            position = await self._store.acknowledged(subject, device)
        with self._wakes.waiting(CHANNEL, subject) as woken:
            while True:
                async with aclosing(self._until_reset(subject, position, woken)) as items:
                    async for item in items:
                        yield item
                yield Reset()
                position = None

    async def _until_reset(
        self, subject: str, position: Position | None, woken: Event
    ) -> AsyncGenerator[Change | Checkpoint, None]:
        reading = _Reading(PageQuery(self._list_name, subject), position)
        while True:
            woken.clear()
            head, rows = await self._store.read(subject, reading.position, _BATCH)
            if not reading.stands(head):
                return
            for item in reading.told(head, rows):
                yield item
            if len(rows) < _BATCH:
                await woken.wait()

    def _position(self, subject: str, cursor: str) -> Position | None:
        try:
            numbers = paging.decode_page_token(cursor, PageQuery(self._list_name, subject))
        except FieldInvalid as error:
            raise FieldInvalid.of(
                "cursor", "send a cursor of this feed, unaltered, or nothing to begin with a snapshot"
            ) from error
        return None if numbers is None else Position(*map(int, numbers))


class _Reading:
    """How far one stream has come."""

    def __init__(self, query: PageQuery, position: Position | None) -> None:
        self.position = position
        self._query = query
        self._known = 0 if position is None else position.sequence
        self._target: int | None = None
        self._is_snapshot = position is None
        self._caught_up = False

    def stands(self, head: Head | None) -> bool:
        """Tell whether everything after the position can be told.

        It cannot when the feed began anew, when the database is an older copy, or when tombstones after it are gone.
        """
        position = self.position
        return position is None or (
            head is not None
            and position.incarnation == head.incarnation
            and position.sequence <= head.sequence
            and max(position.sequence, position.snapshot) >= head.purged_sequence
        )

    def told(self, head: Head | None, rows: Sequence[LatestChange]) -> Iterator[Change | Checkpoint]:
        """Yield what is to be told of a batch, and move on behind it."""
        if head is not None:
            yield from self._changes(head, rows)
        if not self._caught_up and (self.position is None or self.position.sequence >= (self._target or 0)):
            self._caught_up = True
            yield Checkpoint(_cursor(self._query, self.position), self._is_snapshot)

    def _changes(self, head: Head, rows: Sequence[LatestChange]) -> Iterator[Change]:
        position = self.position or Position(head.incarnation, head.sequence, 0)
        if self._target is None:
            self._target = head.sequence
        if self._caught_up:
            self._known = position.sequence
        for row in rows:
            position = replace(position, sequence=row.sequence)
            yield Change(row.resource, _kind(row, self._known), row.change_time, _cursor(self._query, position))
        self.position = position if len(rows) == _BATCH else replace(position, sequence=head.sequence)


def _cursor(query: PageQuery, position: Position | None) -> str:
    if position is None:
        return ""
    numbers = (position.incarnation, position.snapshot, position.sequence)
    return paging.encode_page_token(query, [str(number) for number in numbers])


def _kind(row: LatestChange, known: int) -> ChangeKind:
    if row.deleted:
        return ChangeKind.DELETED
    return ChangeKind.CREATED if row.created_sequence > known else ChangeKind.CHANGED
