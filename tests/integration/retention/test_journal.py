"""A database that comes back from a copy of any age: what was destroyed since stays so, on the real server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from services.chassis.clock import SystemClock
from services.chassis.database import Connection, Pool, open_pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.loops import enduring
from services.chassis.settings import DatabaseSettings
from services.chassis.supervision import supervised
from services.journal import Journal
from services.journal.directory import JournalDirectory
from services.journal.follower import Follower
from services.journal.record import decode
from services.retention.domain.keys import OpenKey
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.errors import MediaErased, SubjectErased
from services.retention.journal.writer import JournalWriter
from services.retention.operations.replay_journal import replay
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.ports import EpochKeys
from services.retention.store.database import PostgresStore
from services.retention.translation.responses import purge_ordered
from tests.contract.retention.harness import ADA, BEN, DAY, LOCATION, OLDER, RetentionHarness, new_harness
from tests.fakes.clock import FakeClock
from tests.integration.eventually import eventually

Dump = dict[str, bytes]


@dataclass
class Restorable:
    """A retention service whose process ends and begins again, on a database that a test puts back."""

    database: DatabaseSettings
    place: JournalDirectory
    harness: RetentionHarness
    follower: Follower
    pool: Pool


Begin = Callable[[], AbstractAsyncContextManager[Restorable]]


@pytest.fixture
def place(tmp_path: Path) -> JournalDirectory:
    return JournalDirectory(tmp_path / "journal")


@pytest.fixture
async def begin(
    database: DatabaseSettings, pool: Pool, place: JournalDirectory, tmp_path: Path, clock: FakeClock
) -> Begin:
    """Begin a process of the service on an empty database, or on what the one before it has left."""
    await truncate(pool)
    epochs = (await new_harness(PostgresStore(pool, purge_ordered), tmp_path, clock)).epochs
    return partial(begun, database, place, epochs, clock)


@asynccontextmanager
async def begun(
    database: DatabaseSettings,
    place: JournalDirectory,
    epochs: EpochFiles,
    clock: FakeClock,
    keys: EpochKeys | None = None,
) -> AsyncIterator[Restorable]:
    """Run a process of the service for the block."""
    follower = Follower(Journal(place), SystemClock())
    async with open_pool(database, follower) as guarded:
        writer = JournalWriter(guarded, follower, SystemClock())
        store = PostgresStore(guarded, purge_ordered)
        harness = RetentionHarness(store, epochs, clock, journal=writer, keys=keys)

        async def before_opening() -> None:
            await writer.reserve_revisions()
            await rotate_epochs(harness.dependencies)

        follower.attach(
            guarded, partial(replay, dependencies=harness.dependencies), begins=True, opening=before_opening
        )
        async with supervised([enduring(follower.run, SystemClock())]):
            yield Restorable(database, place, harness, follower, guarded)


async def tables(pool: Pool) -> list[str]:
    async with pool.connection() as connection:
        cursor = await connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"
        )
        return [name for (name,) in await cursor.fetchall()]


async def truncate(pool: Pool) -> None:
    async with pool.connection() as connection:
        await truncate_on(connection, await tables(pool))


async def truncate_on(connection: Connection, names: Sequence[str]) -> None:
    every = sql.SQL(", ").join(map(sql.Identifier, names))
    await connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(every))
    await connection.execute("SELECT setval('purpose_revision', 1, false)")


async def dumped(pool: Pool) -> Dump:
    """Return the whole database as a backup program would write it."""
    dump: Dump = {}
    async with pool.connection() as connection, connection.cursor() as cursor:
        await cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # all tables as of one moment
        for table in await tables(pool):
            statement = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))
            async with cursor.copy(statement) as copy:
                dump[table] = b"".join([bytes(chunk) async for chunk in copy])
        await cursor.execute("SELECT last_value FROM purpose_revision")
        row = await cursor.fetchone()
        dump["purpose_revision"] = b"0" if row is None else str(row[0]).encode()
    return dump


async def number_on(cursor: psycopg.AsyncCursor[tuple[object, ...]]) -> None:
    """Let every row's number go on after the highest there is, as a restore leaves it."""
    await cursor.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_identity = 'YES'"
    )
    for table, column in await cursor.fetchall():
        await cursor.execute(
            sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), coalesce(max({}), 0) + 1, false) FROM {}").format(
                sql.Literal(table), sql.Literal(column), sql.Identifier(str(column)), sql.Identifier(str(table))
            )
        )


async def restored(pool: Pool, dump: Dump) -> None:
    """Put a backup in the place of what is there, as a restore does: its triggers rest, and every connection ends."""
    names = [table for table in dump if table != "purpose_revision"]
    async with pool.connection() as connection, connection.cursor() as cursor:
        await truncate_on(connection, names)
        for table in names:
            await cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
        for table in sorted(names, key=lambda name: name in {"purpose_key", "purge_order", "store_purge"}):
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))
            async with cursor.copy(statement) as copy:
                await copy.write(dump[table])
        for table in names:
            await cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
        await cursor.execute("SELECT setval('purpose_revision', %s)", [int(dump["purpose_revision"])])
        await number_on(cursor)
        await cursor.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user
            """
        )


async def test_what_was_withdrawn_stays_so_and_what_lives_opens(begin: Begin, pool: Pool) -> None:
    async with begin() as before:
        await before.harness.grant()
        await before.harness.grant(BEN)
        [withdrawn], [kept] = await before.harness.create([]), await before.harness.create([], subject=BEN)
        backup = await dumped(pool)
        await before.harness.withdraw()
    await restored(pool, backup)
    async with begin() as after:
        assert not await after.harness.can_open(withdrawn)
        assert await after.harness.can_open(kept, BEN)


async def test_an_erased_photo_stays_so_and_the_others_open(begin: Begin, pool: Pool) -> None:
    async with begin() as before:
        await before.harness.grant()
        media, other = await before.harness.media(), await before.harness.media()
        [gone], [kept] = await before.harness.create([media]), await before.harness.create([other])
        backup = await dumped(pool)
        await before.harness.erase(media)
    await restored(pool, backup)
    async with begin() as after:
        assert not await after.harness.can_open(gone)
        assert await after.harness.can_open(kept)
        with pytest.raises(MediaErased):
            await after.harness.create([media])


async def test_a_person_who_was_erased_stays_so(begin: Begin, pool: Pool) -> None:
    async with begin() as before:
        await before.harness.grant()
        [gone] = await before.harness.create([])
        backup = await dumped(pool)
        decided = before.harness.clock.now()
        await before.harness.erase_everything()
    await restored(pool, backup)
    async with begin() as after:
        assert not await after.harness.can_open(gone)
        with pytest.raises(SubjectErased):
            await after.harness.grant(decided=decided)
        assert {order.cause for order in await after.harness.orders("ingest")} == {"ERASURE", "WITHDRAWAL"}


async def test_an_erased_person_whom_the_copy_does_not_know_is_refused_what_they_decided_before(
    begin: Begin, pool: Pool
) -> None:
    async with begin() as before:
        backup = await dumped(pool)
        decided = before.harness.clock.now()
        await before.harness.grant()
        await before.harness.erase_everything()
    await restored(pool, backup)
    async with begin() as after:
        with pytest.raises(SubjectErased):
            await after.harness.grant(decided=decided)


async def test_a_deadline_that_was_brought_forward_stays_so(begin: Begin, pool: Pool, clock: FakeClock) -> None:
    async with begin() as before:
        await before.harness.grant()
        media = await before.harness.media()
        [key] = await before.harness.create([media])
        backup = await dumped(pool)
        await before.harness.shorten(media, timedelta(hours=1))
    await restored(pool, backup)
    clock.set(clock.now() + timedelta(hours=2))
    async with begin() as after:
        assert not await after.harness.can_open(key)


async def test_a_bound_that_was_narrowed_stays_so(begin: Begin, pool: Pool, clock: FakeClock) -> None:
    wide, narrow = clock.now() - 300 * DAY, clock.now() - 60 * DAY
    async with begin() as before:
        await before.harness.grant(purpose=OLDER, reach_back=wide)
        backup = await dumped(pool)
        await before.harness.grant(purpose=OLDER, reach_back=narrow)
    await restored(pool, backup)
    async with begin() as after:
        async with after.harness.store.transaction() as transaction:
            key = await transaction.purposes.get(ADA, OLDER)
        assert key is not None
        assert key.reach_back_time == narrow


async def test_no_fencing_number_is_handed_out_twice(begin: Begin, pool: Pool) -> None:
    async with begin() as before:
        backup = await dumped(pool)
        lost = [await before.harness.grant(), await before.harness.grant(purpose=LOCATION)]
    await restored(pool, backup)
    async with begin() as after:
        assert await after.harness.grant() > max(lost)


async def test_what_no_caller_waits_for_is_written_down_as_well(
    begin: Begin, pool: Pool, place: JournalDirectory
) -> None:
    async with begin() as before:
        await before.harness.grant()
        [key] = await before.harness.create([], lasts=timedelta(hours=1))
        await before.harness.tick(timedelta(hours=2))
        await before.harness.journal.written()
    assert key.id in "".join(path.read_text() for path in place.path(0).parent.glob("*.json"))


async def test_the_journal_names_no_person(begin: Begin, place: JournalDirectory) -> None:
    async with begin() as before:
        await before.harness.grant()
        await before.harness.withdraw()
        await before.harness.grant()
        await before.harness.erase_everything()
    text = "".join(path.read_text() for path in place.path(0).parent.glob("*.json"))
    assert '"persons":[["' in text
    assert ADA not in text


async def test_many_destructions_at_a_time_share_records(begin: Begin, place: JournalDirectory) -> None:
    async with begin() as before:
        subjects = [f"{number:032}" for number in range(40)]
        for subject in subjects:
            await before.harness.grant(subject)
        first = await place.newest()
        await asyncio.gather(*(before.harness.withdraw(subject) for subject in subjects))
        last = await place.newest()
    assert first is not None
    assert last is not None
    assert last - first < len(subjects)


class TestFaults:
    async def test_a_destruction_is_done_though_its_caller_is_refused_while_the_journal_is_away(
        self, begin: Begin, pool: Pool, place: JournalDirectory
    ) -> None:
        async with begin() as before:
            await before.harness.grant()
            [key] = await before.harness.create([])
            backup = await dumped(pool)
            with away(place), pytest.raises(DependencyUnavailable):
                await before.harness.withdraw()
            assert not await before.harness.can_open(key)
            await before.harness.withdraw()
        await restored(pool, backup)
        async with begin() as after:
            assert not await after.harness.can_open(key)

    async def test_a_process_that_dies_before_it_has_written_writes_at_its_next_start(
        self, begin: Begin, pool: Pool, place: JournalDirectory
    ) -> None:
        async with begin() as before:
            await before.harness.grant()
            [key] = await before.harness.create([])
            backup = await dumped(pool)
            with away(place), pytest.raises(DependencyUnavailable):
                await before.harness.withdraw()
        async with begin() as again:
            await again.harness.journal.written()
        await restored(pool, backup)
        async with begin() as after:
            assert not await after.harness.can_open(key)

    async def test_a_database_ahead_of_the_journal_opens_nothing_until_the_loss_is_accepted(
        self, begin: Begin, place: JournalDirectory
    ) -> None:
        async with begin() as before:
            await before.harness.grant()
            [key] = await before.harness.create([])
            await before.harness.withdraw(ADA, LOCATION)
        assert before.follower.is_open
        position = await lost(place)
        async with begin() as after:
            with pytest.raises(DependencyUnavailable, match="accept-loss"):
                await after.harness.open(key)
            await Journal(place).accept_loss(position[0], position[1])
            await asyncio.wait_for(after.follower.opened(), 10)
            assert await after.harness.can_open(key)

    async def test_a_failover_to_a_replica_that_was_behind_brings_nothing_back(
        self, begin: Begin, pool: Pool, database: DatabaseSettings
    ) -> None:
        async with begin() as running:
            await running.harness.grant()
            await running.harness.grant(BEN)
            [key], [kept] = await running.harness.create([]), await running.harness.create([], subject=BEN)
            replica = await dumped(pool)
            await running.harness.withdraw()
            await restored(pool, replica)
            for _ in range(20):
                assert not await opens(running, key)
            assert await eventually(lambda: opens(running, kept, BEN))
            assert not await opens(running, key)


async def opens(running: Restorable, key: OpenKey, subject: str = ADA) -> bool:
    """Tell whether a key is opened; a service that has lost its database opens none."""
    try:
        return await running.harness.can_open(key, subject)
    except (DependencyUnavailable, psycopg.OperationalError):
        return False


@contextmanager
def away(place: JournalDirectory) -> Iterator[None]:
    """Let the journal's disk be another thing for a while: a file, in which nothing can be written."""
    folder = place.path(0).parent
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.touch()
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


async def lost(place: JournalDirectory) -> tuple[str, int]:
    """Lose the journal, and return its id and its last number, as an operator reads them from the refusals."""
    newest, data = await place.newest(), await place.read(0)
    assert newest is not None
    assert data is not None
    folder = place.path(0).parent
    folder.rename(folder.with_name("lost"))
    return decode(data).journal, newest
