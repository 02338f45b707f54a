import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest

from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.settings import DatabaseSettings
from services.chassis.supervision import supervised
from services.chassis.task_leases import LeasedTasks
from tests.integration.chassis.leased import LEASE, process
from tests.integration.eventually import eventually

LOCKS = 0x6C656173
SOON = LEASE.total_seconds() * 0.9
"""Less than a lease: who takes over within it has not waited for its end. Looking takes a third of it."""


class Effects:
    """What the processes have written."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def of(self, name: str) -> int:
        async with self._pool.connection() as connection:
            cursor = await connection.execute("SELECT FROM effect WHERE event_id LIKE %s", (f"{name}%",))
            return cursor.rowcount

    async def go_on(self, name: str, *, seconds: float = 20) -> None:
        """Wait until a process has written a few more."""
        enough = await self.of(name) + 5
        await eventually(lambda: self.of(name), lambda count: count >= enough, seconds=seconds)


@pytest.fixture
def effects(pool: Pool) -> Effects:
    return Effects(pool)


async def contenders(pool: Pool) -> int:
    """Return how many processes hold the lease or wait for it."""
    async with pool.connection() as connection:
        return (await connection.execute("SELECT FROM pg_locks WHERE classid = %s AND granted", (LOCKS,))).rowcount


async def holders(pool: Pool) -> list[int]:
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT holder FROM lease")
        return [holder for (holder,) in await cursor.fetchall()]


@asynccontextmanager
async def two(
    pool: Pool, effects: Effects, database: DatabaseSettings
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.subprocess.Process]]:
    """Run `ada`, who has the lease, and `ben`, who wants it."""
    async with process("ada", database) as ada:
        await effects.go_on("ada")
        async with process("ben", database) as ben:
            await eventually(lambda: contenders(pool), lambda count: count == 2)
            yield ada, ben


async def test_of_two_processes_one_does_the_work(pool: Pool, effects: Effects, database: DatabaseSettings) -> None:
    async with two(pool, effects, database):
        for _ in range(10):
            await effects.go_on("ada")
        assert await effects.of("ben") == 0


async def test_what_a_killed_process_did_another_goes_on_with_before_the_lease_ends(
    pool: Pool, effects: Effects, database: DatabaseSettings
) -> None:
    async with two(pool, effects, database) as (ada, _):
        ada.kill()
        await effects.go_on("ben", seconds=SOON)


async def test_a_process_that_is_stopped_gives_its_lease_back(
    pool: Pool, effects: Effects, database: DatabaseSettings
) -> None:
    async with two(pool, effects, database) as (ada, _):
        (before,) = await holders(pool)
        ada.terminate()
        await effects.go_on("ben", seconds=SOON)
        assert await ada.wait() == 0
        assert before not in await holders(pool)


async def test_a_process_that_stands_still_loses_its_lease_and_writes_nothing_more(
    pool: Pool, effects: Effects, database: DatabaseSettings
) -> None:
    async with two(pool, effects, database) as (ada, _):
        ada.send_signal(signal.SIGSTOP)
        await effects.go_on("ben")
        written = await effects.of("ada")
        ada.send_signal(signal.SIGCONT)
        for _ in range(5):
            await effects.go_on("ben")
        assert await effects.of("ada") == written


async def test_the_transaction_of_a_lost_lease_leaves_nothing(pool: Pool, effects: Effects) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()
    failures = list[str]()

    async def work() -> None:
        try:
            async with pool.connection() as connection:
                await connection.execute("INSERT INTO effect (event_id) VALUES ('late')")
                began.set()
                await go_on.wait()
        except Exception as error:
            failures.append(type(error).__name__)
            raise

    async with supervised([LeasedTasks(pool, SystemClock(), {"work": [work]}).run]):
        await began.wait()
        async with pool.connection() as connection:
            await connection.execute("UPDATE lease SET holder = 0, expire_time = now() + interval '1 hour'")
        go_on.set()
        await eventually(lambda: _now(failures))
    assert (failures, await effects.of("late")) == (["LeaseLost"], 0)


@asynccontextmanager
async def contender(database: DatabaseSettings) -> AsyncIterator[None]:
    """Be one who wants the leases, and never takes one."""
    url = database.database_url.get_secret_value()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s, 1)", (LOCKS,))
        yield


async def end(pool: Pool) -> str:
    async with pool.connection() as connection:
        return str(await (await connection.execute("SELECT expire_time FROM lease")).fetchone())


async def test_a_process_that_is_alone_writes_nothing_and_keeps_its_lease_from_who_comes_late(
    pool: Pool, effects: Effects, database: DatabaseSettings
) -> None:
    async with process("ada", database):
        await effects.go_on("ada")
        first = await end(pool)
        async with asyncio.timeout(20):
            while await _is_future(pool):  # until it would be over, were it not alone
                await effects.go_on("ada")
        assert await end(pool) == first
        async with process("ben", database):
            await eventually(lambda: end(pool), lambda later: later != first)
            for _ in range(10):
                await effects.go_on("ada")
            assert await effects.of("ben") == 0


async def test_work_that_only_reads_writes_nothing_because_of_its_lease(pool: Pool) -> None:
    read = asyncio.Event()

    async def work() -> None:
        async with pool.connection() as connection:
            await connection.execute("SELECT FROM effect")
        read.set()
        await asyncio.Event().wait()

    async with supervised([LeasedTasks(pool, SystemClock(), {"work": [work]}).run]):
        await read.wait()
        async with pool.connection() as connection:
            assert await (await connection.execute("SELECT xmax::text FROM lease")).fetchone() == ("0",)


async def _is_future(pool: Pool) -> bool:
    async with pool.connection() as connection:
        return (await connection.execute("SELECT FROM lease WHERE expire_time > clock_timestamp()")).rowcount > 0


async def test_a_renewal_does_not_wait_for_the_transactions_of_the_work(pool: Pool, database: DatabaseSettings) -> None:
    began = asyncio.Event()

    async def work() -> None:
        async with pool.connection() as connection:
            await connection.execute("SELECT FROM lease WHERE name = 'work' FOR KEY SHARE")
            began.set()
            await asyncio.Event().wait()

    tasks = LeasedTasks(pool, SystemClock(), {"work": [work]}, lease=LEASE)
    async with contender(database), supervised([tasks.run]):
        await began.wait()
        first = await end(pool)
        await eventually(lambda: end(pool), lambda later: later != first, seconds=SOON)


async def test_a_database_that_was_away_finds_the_work_going_on(pool: Pool, effects: Effects) -> None:
    async def work() -> None:
        async with pool.connection() as connection:
            await connection.execute("INSERT INTO effect (event_id) VALUES (gen_random_uuid())")
        await asyncio.Event().wait()

    async def anything() -> bool:
        return await effects.of("") > 0

    async with supervised([LeasedTasks(pool, SystemClock(), {"work": [work]}, lease=LEASE).run]):
        await eventually(anything)
        async with pool.connection() as connection:
            await connection.execute("DELETE FROM effect")
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s",
                (LOCKS,),
            )
        await eventually(anything)


async def _now(seen: list[str]) -> bool:
    with suppress(IndexError):
        return bool(seen[0])
    return False
