"""PostgreSQL: the pool, the migrations, and one transaction at a time on one subject."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from weakref import WeakKeyDictionary

import structlog
from psycopg import AsyncConnection, OperationalError
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from services.chassis.certificates.trust import DATABASE_SETTING, ServerNotTrusted
from services.chassis.held_connections import holding, is_holding
from services.chassis.limits.fair_turns import FairTurns
from services.chassis.settings import DatabaseSettings

Connection: TypeAlias = AsyncConnection[tuple[Any, ...]]
Pool: TypeAlias = AsyncConnectionPool[Connection]
Fence: TypeAlias = Callable[[Connection], Awaitable[None]]
"""Looks whether what a transaction relied on still holds, and keeps it so until the commit; raises if it does not."""

CHASSIS_MIGRATIONS = Path(__file__).parent / "migrations"
_IDLE_IN_TRANSACTION_SECONDS = 60
_OPEN_SECONDS = 30.0
_ACQUIRE_SECONDS = 10.0
_LEAST_SECONDS = 0.1
_FRESH_SECONDS = 1.0
_CERTIFICATE = "certificate"
"""A word that drivers use of the server's alone."""
_CHECKED = "sslmode=verify-"

_log = structlog.get_logger()
_fence: ContextVar[Fence | None] = ContextVar("fence", default=None)


@contextmanager
def fenced(fence: Fence) -> Iterator[None]:
    """Have each transaction of the block, and of the tasks that it starts, pass a fence before it is committed."""
    outer = _fence.set(fence)
    try:
        yield
    finally:
        _fence.reset(outer)


async def _pass_fence(connection: Connection) -> None:
    fence = _fence.get()
    if fence is not None and connection.info.transaction_status is TransactionStatus.INTRANS:
        await fence(connection)


class _CheckedWhenIdle:
    """Asks a connection whether it still lives before it is lent, unless it lived a moment ago.

    After a restart of the database only what was lent within that moment is lent dead, and answers UNAVAILABLE once;
    asking each time would cost every call a round trip.
    """

    def __init__(self) -> None:
        self._lived_at: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()

    async def __call__(self, connection: Connection) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._lived_at.get(connection, float("-inf")) > _FRESH_SECONDS:
            await AsyncConnectionPool.check_connection(connection)
        self._lived_at[connection] = now


class Doorkeeper(Protocol):
    """Decides whether a database may be used yet."""

    async def admit(self, connection: Connection) -> None:
        """Look at the database of a new connection, which is left outside a transaction."""

    async def passage(self) -> None:
        """Return when the database may be used.

        Raises:
            DependencyUnavailable: it may not, for now.
        """


class OpenDoor:
    """Implements `Doorkeeper` for a database that may always be used."""

    async def admit(self, connection: Connection) -> None:
        """Let it be."""

    async def passage(self) -> None:
        """Return at once."""


class _GuardedPool(AsyncConnectionPool[Connection]):
    """A pool behind a door, whose connections are lent to callers in turn, and whose waiters can always be cancelled.

    Python 3.11 loses a cancellation that comes in the moment in which a connection does
    (https://github.com/python/cpython/issues/86296), and with it the deadline or the end of a call.
    """

    door: Doorkeeper = OpenDoor()
    turns: FairTurns

    @asynccontextmanager
    async def connection(self, timeout: float | None = None) -> AsyncIterator[Connection]:
        """Lend a connection for the block, which is one transaction; no other service may be waited for in it."""
        async with self._turn(timeout or _ACQUIRE_SECONDS) as left, super().connection(left) as connection:
            with holding():
                yield connection
                await _pass_fence(connection)

    @asynccontextmanager
    async def _turn(self, seconds: float) -> AsyncIterator[float]:
        """Hold a turn for the block, and give the seconds that are left of those in which a connection must be lent.

        Who holds a connection has a turn already: to wait for another one would wait for itself.
        """
        until = asyncio.get_running_loop().time() + seconds
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout_at(until):
                    if not is_holding():
                        await stack.enter_async_context(self.turns.turn())
            except TimeoutError:
                raise PoolTimeout(f"no turn within {seconds:g} s") from None
            yield max(_LEAST_SECONDS, until - asyncio.get_running_loop().time())

    async def getconn(self, timeout: float | None = None) -> Connection:
        """Return a connection of the pool."""
        await self.door.passage()
        cancelled = _cancellations()
        connection = await super().getconn(timeout)
        try:
            # Once more: a new connection may have led to another database and shut the door.
            await self.door.passage()
            if _cancellations() > cancelled:
                raise asyncio.CancelledError
        except BaseException:
            await self.putconn(connection)
            raise
        return connection


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


class MigrationFailed(Exception):
    """The schema could not be brought up to date; the message is dbmate's."""


@asynccontextmanager
async def open_pool(
    settings: DatabaseSettings, door: Doorkeeper | None = None, *, size: int | None = None
) -> AsyncIterator[Pool]:
    """Open the pool for the time of the block, of another size if need be; wait up to 30 s for the first connection.

    `async with pool.connection() as connection:` is one transaction, committed at its end. What a doorkeeper does not
    let pass is refused.
    """
    most = size or settings.database_pool_size
    pool = _GuardedPool(
        settings.database_url.get_secret_value(),
        kwargs={"options": _options(settings)},
        min_size=1,
        max_size=most,
        timeout=_ACQUIRE_SECONDS,
        open=False,
        check=_CheckedWhenIdle(),
        configure=None if door is None else door.admit,
    )
    pool.door, pool.turns = door or OpenDoor(), FairTurns(most)
    await _refuse_untrusted(settings)
    async with pool:
        await pool.wait(_OPEN_SECONDS)
        yield pool


async def migrate(settings: DatabaseSettings, migrations: Path) -> None:
    """Brings the schema up to date: the chassis's tables, then the service's.

    Processes that start together wait for each other, for five minutes at most. The program is `dbmate`; its password
    travels in the environment, never in the argument list.

    Raises:
        MigrationFailed: with what dbmate said.
        ServerNotTrusted: the server's certificate is of no authority that the URL names.
    """
    await _refuse_untrusted(settings)
    process = await asyncio.create_subprocess_exec(
        _dbmate(),
        "--no-dump-schema",
        *("--migration-lock", "--migration-lock-timeout", "5m"),
        *("--wait", "--wait-timeout", "1m"),
        *("--migrations-dir", str(CHASSIS_MIGRATIONS)),
        *("--migrations-dir", str(migrations)),
        "migrate",
        env={**os.environ, "DATABASE_URL": _without_tls(settings.database_url.get_secret_value())},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise MigrationFailed(output.decode(errors="replace").strip())
    _log.info("database_migrated")


@asynccontextmanager
async def subject_lock(connection: Connection, subject: str) -> AsyncIterator[None]:
    """Run the block as the only one on this subject: a transaction with an advisory lock.

    Waits up to the lock timeout, then psycopg's `LockNotAvailable` ends the call as UNAVAILABLE.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%(subject)s, 0))", {"subject": subject})
        yield
        await _pass_fence(connection)


async def _refuse_untrusted(settings: DatabaseSettings) -> None:
    """Connect once by itself where the server is checked: who waits for it otherwise waits long, and says not why."""
    url = settings.database_url.get_secret_value()
    if _CHECKED not in url:
        return
    try:
        async with await AsyncConnection.connect(url):
            return
    except OperationalError as error:
        if _CERTIFICATE in str(error):
            raise ServerNotTrusted.by("database", DATABASE_SETTING, str(error)) from None


def _options(settings: DatabaseSettings) -> str:
    limits = {
        "statement_timeout": settings.database_statement_timeout_seconds,
        "lock_timeout": settings.database_lock_timeout_seconds,
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_SECONDS,
    }
    # In UTC whatever the server's zone is: the first and last days that `datetime` holds stay within its years.
    return " ".join(["-c timezone=UTC", *(f"-c {name}={round(each * 1000)}" for name, each in limits.items())])


def _dbmate() -> str:
    return str(Path(sys.executable).parent / "dbmate")


def _without_tls(url: str) -> str:
    """Says `sslmode=disable` where the URL says nothing: dbmate's driver insists on TLS otherwise."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.setdefault("sslmode", "disable")
    return urlunsplit(parts._replace(query=urlencode(query)))
