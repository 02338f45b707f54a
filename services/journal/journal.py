"""Journal over its objects: reading with every break noticed, appending with races decided by the store."""

import secrets
from collections.abc import AsyncIterator, Sequence

from services.chassis.errors import DependencyUnavailable
from services.journal.entries import Beginning, Entry, LossAccepted
from services.journal.errors import JournalDamaged, JournalLost, JournalMissing, RecordUnreadable
from services.journal.ports import JournalObjects
from services.journal.record import Position, Record, decode, digest, encode


class Journal:
    """Reads and appends; several processes may append at a time."""

    def __init__(self, objects: JournalObjects) -> None:
        self._objects = objects
        self._head: Position | None = None

    @property
    def head(self) -> Position | None:
        """The last record that was read or appended here."""
        return self._head

    async def begin(self) -> None:
        """Make the first record, unless it is there."""
        record = Record(secrets.token_hex(8), 0, "", (Beginning(),))
        await self._objects.create(0, encode(record))

    async def goes_on_after(self, position: Position) -> bool:
        """Tell whether there is a record that a database at a position has not seen."""
        return await self._objects.read(position.number + 1) is not None

    async def since(self, position: Position | None) -> AsyncIterator[Record]:
        """Yield the records that a database at a position has not seen, in their order.

        Raises:
            JournalMissing: there is no journal.
            JournalLost: it is another one, or ends before the position, and no operator has accepted that.
            JournalDamaged: a record is gone, cut off or altered, and no operator has accepted that.
        """
        seen = await self._seen(position)
        if seen is not None:
            self._head = seen
        journal = await self._id()
        number, before = (0, "") if seen is None else (seen.number + 1, seen.digest)
        while (record := await self._next(journal, number, before)) is not None:
            number, before = record.number + 1, record.digest
            self._head = record.position
            yield record

    async def append(self, entries: Sequence[Entry]) -> Record:
        """Write entries after all that are there.

        Raises:
            DependencyUnavailable: the journal cannot be reached, was not read yet, or has lost its last record.
        """
        if self._head is None:
            raise DependencyUnavailable("journal: it is not read to its end yet", metadata={"dependency": "journal"})
        while True:
            head = self._head
            if await self._objects.read(head.number) is None:
                raise JournalLost.after(head.journal, head.number)
            data = encode(Record(head.journal, head.number + 1, head.digest, tuple(entries)))
            if await self._objects.create(head.number + 1, data):
                record = decode(data)
                self._head = record.position
                return record
            async for _ in self.since(head):
                pass

    async def accept_loss(self, journal: str, number: int) -> Record:
        """Write down that an operator accepts the loss of what a journal held up to a number."""
        newest = await self._objects.newest()
        if newest is None:
            await self.begin()
            newest = 0
        last = await self._objects.read(newest) or b""
        record = Record(await self._id(), newest + 1, digest(last), (LossAccepted(journal, max(number, newest)),))
        await self._objects.create(record.number, encode(record))
        return record

    async def _id(self) -> str:
        data = await self._objects.read(0)
        if data is None:
            raise JournalMissing.yet()
        try:
            return decode(data).journal
        except RecordUnreadable as error:
            raise JournalDamaged.at("unknown", 0, f"unreadable ({error})") from error

    async def _seen(self, position: Position | None) -> Position | None:
        """Return the position to read on from; None for the beginning, also when a loss before it is accepted."""
        if position is None:
            return None
        data = await self._objects.read(position.number)
        if data is not None and digest(data) == position.digest:
            return position
        if await self._is_accepted(position.journal, position.number, 0):
            return None
        raise JournalLost.after(position.journal, position.number)

    async def _next(self, journal: str, number: int, before: str) -> Record | None:
        """Return the record of a number, or the first one after what an operator has given up; None at the end."""
        try:
            return await self._checked(journal, number, before)
        except JournalDamaged:
            if not await self._is_accepted(journal, number, number + 1):
                raise
        return await self._after_damage(number)

    async def _checked(self, journal: str, number: int, before: str) -> Record | None:
        data = await self._objects.read(number)
        if data is None:
            if await self._objects.newest(number) is None:
                return None
            raise JournalDamaged.at(journal, number, "missing")
        try:
            record = decode(data)
        except RecordUnreadable as error:
            raise JournalDamaged.at(journal, number, f"unreadable ({error})") from error
        if (record.journal, record.number) != (journal, number) or (before and record.previous != before):
            raise JournalDamaged.at(journal, number, "not the one that followed the record before it")
        return record

    async def _after_damage(self, number: int) -> Record | None:
        """Return the next record that can be read: what lies before it is given up."""
        async for record in self._readable(number + 1):
            return record
        return None

    async def _is_accepted(self, journal: str, number: int, start: int) -> bool:
        """Tell whether an operator has accepted the loss of a journal's records up to a number or beyond."""
        async for record in self._readable(start):
            for entry in record.entries:
                if isinstance(entry, LossAccepted) and entry.journal == journal and entry.number >= number:
                    return True
        return False

    async def _readable(self, start: int) -> AsyncIterator[Record]:
        newest = await self._objects.newest(start - 1)
        for number in range(start, -1 if newest is None else newest + 1):
            data = await self._objects.read(number)
            try:
                if data is not None:
                    yield decode(data)
            except RecordUnreadable:
                continue
