"""The change feed on PostgreSQL: what the fake does, and what only a database can do wrong."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.chassis.changes.feed import Change, ChangeFeed, ChangeKind, Item
from services.chassis.changes.records import (
    CHANNEL,
    forget_changes,
    forget_device,
    record_all_deleted,
    record_changed,
    record_deleted,
)
from services.chassis.changes.store import ChangeSweep, PostgresChangeStore
from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.listener import Listener
from services.chassis.supervision import supervised
from tests.contract.chassis.change_store_suite import ChangeStoreSuite, checkpoint, items_of, names, soon, told

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
WRITERS = 4
CHANGES_EACH = 60


class PostgresRecords:
    """Implements `change_store_suite.Records`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def changed(self, subject: str, *resources: str) -> None:
        async with self._pool.connection() as connection:
            await record_changed(connection, subject, resources)

    async def deleted(self, subject: str, *resources: str) -> None:
        async with self._pool.connection() as connection:
            await record_deleted(connection, subject, resources)

    async def all_deleted(self, subject: str) -> None:
        async with self._pool.connection() as connection:
            await record_all_deleted(connection, subject)

    async def forget(self, subject: str) -> None:
        async with self._pool.connection() as connection:
            await forget_changes(connection, subject)

    async def restore(self, subject: str, sequence: int) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE change_head SET sequence = %s WHERE subject = %s", (sequence, subject))
            await connection.execute(
                "DELETE FROM change_feed WHERE sequence > %s AND subject = %s", (sequence, subject)
            )

    async def pass_time(self, by: timedelta) -> None:
        async with self._pool.connection() as connection:
            await connection.execute("UPDATE change_feed SET change_time = change_time - %s", (by,))
            await connection.execute(
                "UPDATE change_acknowledgement SET acknowledge_time = acknowledge_time - %s", (by,)
            )
        await ChangeSweep(self._pool, SystemClock()).sweep()


@pytest.fixture
def records(pool: Pool) -> PostgresRecords:
    return PostgresRecords(pool)


@pytest.fixture
async def feed(pool: Pool) -> AsyncIterator[ChangeFeed]:
    listener = Listener(pool, SystemClock(), CHANNEL)
    async with supervised([listener.run]):
        with listener.waiting(CHANNEL, "") as listening:
            await listening.wait()
        yield ChangeFeed(PostgresChangeStore(pool), listener, SystemClock(), "WatchMedia")


class TestPostgresChangeStore(ChangeStoreSuite):
    @pytest.fixture
    def records(self, pool: Pool) -> PostgresRecords:
        return PostgresRecords(pool)

    async def test_a_device_that_is_gone_knows_nothing(
        self, records: PostgresRecords, feed: ChangeFeed, subject: str, pool: Pool
    ) -> None:
        await records.changed(subject, "media/1")
        await feed.acknowledge(subject, "phone", await checkpoint(feed, subject))
        async with pool.connection() as connection:
            await forget_device(connection, subject, "phone")
        assert await feed.acknowledged(subject, "phone") == ""


class Follower:
    """A device that is cut again and again, and goes on from its last cursor."""

    def __init__(self, feed: ChangeFeed, subject: str, rng: random.Random) -> None:
        self._feed = feed
        self._subject = subject
        self._rng = rng
        self._cursor = ""
        self.known: dict[str, ChangeKind] = {}
        self.cuts = 0

    async def until(self, done: asyncio.Event) -> None:
        """Follows until nothing more can come."""
        while not done.is_set():
            await self._follow_a_while()
        for item in await items_of(self._feed, self._subject, self._cursor):
            self._learn(item)

    async def _follow_a_while(self) -> None:
        self.cuts += 1
        try:
            async with asyncio.timeout(self._rng.uniform(0.005, 0.1)):
                async with aclosing(self._feed.follow(self._subject, self._cursor)) as items:
                    async for item in items:
                        self._learn(item)
        except TimeoutError:
            pass

    def _learn(self, item: Item) -> None:
        if isinstance(item, Change):
            self.known[item.resource] = item.kind
            self._cursor = item.cursor


async def test_no_reader_misses_a_change_of_concurrent_writers(pool: Pool, feed: ChangeFeed) -> None:
    subject, rng, done = uuid4().hex, random.Random(7), asyncio.Event()
    expected = dict[str, bool]()

    async def write(writer: int) -> None:
        for number in range(CHANGES_EACH):
            resource = f"media/{writer}-{number}"
            async with pool.connection() as connection:
                await asyncio.sleep(rng.uniform(0, 0.004))
                await record_changed(connection, subject, [resource])
                await asyncio.sleep(rng.uniform(0, 0.004))
                if number % 5 == 4:
                    gone = f"media/{writer}-{number - 3}"
                    await record_deleted(connection, subject, [gone])
                    expected[gone] = False
            expected[resource] = True

    followers = [Follower(feed, subject, rng) for _ in range(2)]
    following = [asyncio.create_task(follower.until(done)) for follower in followers]
    await asyncio.gather(*map(write, range(WRITERS)))
    done.set()
    await asyncio.gather(*following)
    for follower in followers:
        assert {name: kind is not ChangeKind.DELETED for name, kind in follower.known.items()} == expected
        assert follower.cuts > 3


async def test_a_change_that_is_rolled_back_is_not_told(pool: Pool, feed: ChangeFeed) -> None:
    subject = uuid4().hex
    async with pool.connection() as connection:
        await record_changed(connection, subject, ["media/1"])
        await connection.rollback()
    assert await told(feed, subject) == ["checkpoint"]


async def test_a_statement_says_what_it_changes(pool: Pool, feed: ChangeFeed) -> None:
    subject = uuid4().hex
    statement = """
        WITH made AS (
            INSERT INTO effect (event_id) SELECT n::text FROM generate_series(1, %s) AS n RETURNING event_id
        )
        SELECT record_changed(%s, array_agg('media/' || event_id)) FROM made
    """
    async with aclosing(feed.follow(subject)) as items:
        await soon(anext(items))
        async with pool.connection() as connection:
            await connection.execute(statement, (0, subject))
            await connection.execute(statement, (2, subject))
        heard = [await soon(anext(items)) for _ in range(2)]
    assert names(heard) == [("media/1", ChangeKind.CREATED), ("media/2", ChangeKind.CREATED)]


async def test_devices_begin_anew_where_the_operator_says_so(pool: Pool, feed: ChangeFeed) -> None:
    subject, records = uuid4().hex, PostgresRecords(pool)
    await records.changed(subject, "media/1")
    cursor = await checkpoint(feed, subject)
    (statement,) = re.findall(r"`(UPDATE change_head .*;)`", OPERATIONS.read_text("utf-8"))
    async with pool.connection() as connection:
        await connection.execute(statement)
    assert await told(feed, subject, cursor) == ["reset", ("media/1", ChangeKind.CREATED), "checkpoint"]


async def test_a_purge_and_a_late_arrival_wait_for_each_other(pool: Pool, feed: ChangeFeed) -> None:
    subject = uuid4().hex
    async with pool.connection() as connection:
        await record_changed(connection, subject, ["media/1"])
        purge = asyncio.create_task(PostgresRecords(pool).all_deleted(subject))
        await asyncio.sleep(0.05)
        assert not purge.done()
    await purge
    assert await told(feed, subject) == ["checkpoint"]
