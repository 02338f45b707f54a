"""Follower of the journal: a service's door, shut until its database has seen what was destroyed."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Self, TypeAlias

import psycopg
import structlog
from psycopg_pool import PoolTimeout

from services.chassis.clock import Clock
from services.chassis.database import Connection, Doorkeeper, Pool
from services.chassis.errors import DependencyUnavailable
from services.journal.entries import Entry
from services.journal.errors import JournalClosed, JournalMissing, OpeningRefused
from services.journal.journal import Journal
from services.journal.positions import Positions, read_position
from services.journal.record import Position, Record
from services.journal.settings import JournalSettings, journal_objects

BATCH = 100
"""Records replayed at a time."""
POLL_SECONDS = 300.0
"""How often the journal is looked at while nothing is wrong: purge orders tell of the same things at once."""
_RETRY_SECONDS = 1.0
_LOOKS = 10
_LOOK_SECONDS = 0.1
_PATIENCE_SECONDS = 2.0
"""A replay is over in a moment, mostly: calls wait for it this long before they are refused."""

_log = structlog.stdlib.get_logger()
_replays: ContextVar[bool] = ContextVar("replays", default=False)

Replay: TypeAlias = Callable[[Sequence[Entry]], Awaitable[None]]
"""Carries out what records say; once more is the same as once."""

Opening: TypeAlias = Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """Do nothing."""


class Follower(Doorkeeper):
    """Replays the journal into a service's database. `run` is a task; the database's pool asks it for passage.

    A connection to a database that has not seen all shuts the door until it has: that is what a failover to a replica
    that was behind looks like.

    Attributes:
        journal: What is followed.
        refusal: Why the process has to end; empty while it need not.
    """

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self.journal = journal
        self._clock = clock
        self._open = asyncio.Event()
        self._look = asyncio.Event()
        self._known = -1
        self._why = "it is not read yet"
        self.refusal = ""
        self._positions: Positions
        self._replay_entries: Replay
        self._begins = False
        self._opening: Opening = _nothing

    @classmethod
    def of(cls, settings: JournalSettings, clock: Clock) -> Self:
        """Return the follower of the journal that settings name."""
        return cls(Journal(journal_objects(settings)), clock)

    def attach(self, pool: Pool, replay: Replay, *, begins: bool = False, opening: Opening = _nothing) -> None:
        """Take what the task works with, as the pool wants the doorkeeper first.

        Args:
            pool: Of the service's database.
            replay: Carries out what records say.
            begins: Whether this service begins the journal where there is none.
            opening: Run each time before the door opens; `OpeningRefused` ends the process.
        """
        self._positions = Positions(pool)
        self._replay_entries, self._begins, self._opening = replay, begins, opening

    async def run(self) -> None:
        """Replay and open, then follow, until cancelled."""
        _replays.set(True)
        while True:
            self._look.clear()
            if await self._has_caught_up() and not self.is_open:
                await self._open_or_end()
            await self._wait(POLL_SECONDS if self.is_open else _RETRY_SECONDS)

    @property
    def is_open(self) -> bool:
        """Whether the service may open anything."""
        return self._open.is_set()

    @property
    def position(self) -> int:
        """The number of the last record that the database is known to have seen; -1 before it was read."""
        return self._known

    async def ready(self) -> bool:
        """Tell whether the service may open anything, as a check of health."""
        return self.is_open

    async def opened(self) -> None:
        """Wait until the service may open something."""
        await self._open.wait()

    def has_seen(self, position: Position) -> None:
        """Note that the database has seen a record, by other means than a replay."""
        self._known = max(self._known, position.number)

    async def admit(self, connection: Connection) -> None:
        """Look whether the database of a new connection has seen what was destroyed; shut the door if not."""
        if not self.is_open:
            self._look.set()
            return
        if not await self._has_seen_all(connection):
            self._why = "the database is behind it"
            self._open.clear()
            self._look.set()
            _log.warning("journal_replay_begins")

    async def _has_seen_all(self, connection: Connection) -> bool:
        """Look several times: who writes to the journal notes it in the database a moment later."""
        for _ in range(_LOOKS):
            known = self._known
            position = await read_position(connection)
            await connection.rollback()
            if position is None or position.number < known:
                return False
            if not await self._has_more(position):
                return True
            await self._clock.sleep(_LOOK_SECONDS)
        return False

    async def passage(self) -> None:
        """Wait for a moment until the door is open.

        Raises:
            JournalClosed: it stays shut.
        """
        if self.is_open or _replays.get():
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._open.wait()
        except TimeoutError:
            raise JournalClosed.because(self._why) from None

    async def _has_caught_up(self) -> bool:
        try:
            await self._catch_up()
        except (DependencyUnavailable, psycopg.OperationalError, PoolTimeout) as error:
            self._tell(error)
            return False
        return True

    async def _catch_up(self) -> None:
        position = await self._positions.read()
        if position is None and self._begins:
            await self.journal.begin()
        batch: list[Record] = []
        async for record in self.journal.since(position):
            if record.number == 0 and position is not None:
                await self._positions.forget()
            batch.append(record)
            if len(batch) == BATCH:
                await self._replay(batch)
                batch = []
        await self._replay(batch)
        if position is not None:
            self._known = max(self._known, position.number)

    async def _replay(self, batch: Sequence[Record]) -> None:
        if batch:
            await self._replay_entries([entry for record in batch for entry in record.entries])
            await self._positions.advance(batch[-1].position)
            self._known = batch[-1].number
            _log.info("journal_replayed", count=len(batch))

    async def _has_more(self, position: Position) -> bool:
        try:
            return await self.journal.goes_on_after(position)
        except DependencyUnavailable:
            return False  # the database is as far as this process knows, and that must do while the journal is away

    async def _open_or_end(self) -> None:
        try:
            await self._opening()
        except OpeningRefused as refusal:
            self.refusal = str(refusal)
            signal.raise_signal(signal.SIGTERM)  # the stop that the process knows: calls in flight, tasks, connections
            return
        self._open.set()
        _log.info("journal_is_replayed")

    def _tell(self, error: Exception) -> None:
        if isinstance(error, JournalMissing):
            self._why = error.message
            return
        self._why = error.message if isinstance(error, DependencyUnavailable) else "the database does not answer"
        event = "journal_waits" if self.is_open else "journal_closed"
        _log.error(event, reason=self._why)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._look.wait()
        except TimeoutError:
            return
