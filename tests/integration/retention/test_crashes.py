"""A process that dies between any two steps, and a database that comes back from an old backup."""

import asyncio
from pathlib import Path

import pytest
from psycopg import sql

from services.chassis.database import Pool
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.errors import PurposeNotGranted
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.store.database import PostgresStore
from tests.contract.retention.harness import ADA, CLOUD, DAY, LOCATION, RetentionHarness
from tests.fakes.clock import FakeClock

TABLES = ("epoch", "purpose_key", "purpose_decision", "data_key", "media")
Dump = dict[str, bytes]


class DiskFull(Exception):
    """The process dies here."""


class CrashingEpochs(EpochFiles):
    """Dies once at the step that it is told."""

    dies_at: str = ""

    def make(self, epoch: str) -> bool:
        made = super().make(epoch)
        self._die("make")
        return made

    def begin(self, epoch: str) -> None:
        self._die("begin")
        super().begin(epoch)

    def destroy(self, epoch: str) -> None:
        self._die("destroy")
        super().destroy(epoch)

    def _die(self, step: str) -> None:
        if self.dies_at == step:
            raise DiskFull


async def test_a_dump_cannot_be_opened_once_its_epoch_is_destroyed(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    [key] = await harness.create([])
    old = await dumped(pool)
    await harness.withdraw()
    for _ in range(8):
        await harness.tick(DAY)
    await restored(pool, old)
    with pytest.raises(PurposeNotGranted):
        await harness.open(key)


async def test_a_dump_of_today_opens_what_lives(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    [key] = await harness.create([])
    await restored(pool, await dumped(pool))
    assert await harness.can_open(key)


async def test_a_destroyed_epoch_leaves_no_file_and_is_not_made_again(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    old = await dumped(pool)
    files = {epoch_file(harness)}
    for _ in range(8):
        await harness.tick(DAY)
        files.add(epoch_file(harness))
    await restored(pool, old)
    await harness.tick()
    assert not min(files).exists()


async def test_stolen_tables_are_worth_nothing_without_the_files(
    harness: RetentionHarness, store: PostgresStore, tmp_path: Path
) -> None:
    await harness.grant()
    [key] = await harness.create([])
    thief = RetentionHarness(store, EpochFiles(tmp_path / "elsewhere", b"x" * 32), harness.clock)
    with pytest.raises(PurposeNotGranted):
        await thief.open(key)


@pytest.mark.parametrize("step", ["make", "begin", "destroy"])
async def test_a_turn_of_the_day_that_dies_is_finished_by_the_next(
    harness: RetentionHarness, tmp_path: Path, clock: FakeClock, step: str
) -> None:
    crashing = CrashingEpochs(tmp_path / "crashing", b"k" * 32)
    harness.epochs = crashing
    await rotate_epochs(harness.dependencies)
    first = crashing.newest
    await harness.grant()
    [key] = await harness.create([])
    clock.set(clock.now() + 8 * DAY)
    crashing.dies_at = step
    with pytest.raises(DiskFull):
        await rotate_epochs(harness.dependencies)
    harness.epochs = EpochFiles(tmp_path / "crashing", b"k" * 32)
    assert await harness.can_open(key), "between the crash and the next turn"
    await rotate_epochs(harness.dependencies)
    assert await harness.can_open(key)
    assert not harness.epochs.has(first)


async def test_an_epoch_that_is_still_used_is_never_destroyed(
    harness: RetentionHarness, store: PostgresStore, pool: Pool, clock: FakeClock
) -> None:
    first = harness.epochs.newest
    await harness.grant()
    [key] = await harness.create([])
    await harness.tick(DAY)
    async with pool.connection() as connection:
        await connection.execute("UPDATE epoch SET make_time = make_time - interval '30 days'")
        await connection.execute("UPDATE purpose_key SET epoch = %s", [harness.epochs.newest])
    await harness.tick()
    assert not harness.epochs.has(first)
    assert harness.epochs.has(harness.epochs.newest)
    assert await harness.can_open(key)


async def test_rows_left_by_a_withdrawal_are_cleared_over_many_batches_and_restarts(
    harness: RetentionHarness, pool: Pool
) -> None:
    await harness.grant()
    await harness.grant(purpose=LOCATION)
    for _ in range(3):
        await harness.create(*[[]] * 900)
    [kept] = await harness.create([], purpose=LOCATION)
    await harness.withdraw(ADA, CLOUD)
    loop = asyncio.create_task(harness.loop.run())
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await harness.tick()
    async with pool.connection() as connection:
        assert await (await connection.execute("SELECT count(*) FROM data_key")).fetchone() == (1,)
    assert await harness.can_open(kept, purpose=LOCATION)


async def dumped(pool: Pool) -> Dump:
    """Return the tables as a backup program would write them."""
    dump: Dump = {}
    async with pool.connection() as connection, connection.cursor() as cursor:
        for table in TABLES:
            async with cursor.copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))) as copy:
                dump[table] = b"".join([bytes(chunk) async for chunk in copy])
    return dump


async def restored(pool: Pool, dump: Dump) -> None:
    """Put a backup in the place of what is there."""
    async with pool.connection() as connection, connection.cursor() as cursor:
        await cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, TABLES))))
        for table in TABLES:
            async with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))) as copy:
                await copy.write(dump[table])


def epoch_file(harness: RetentionHarness) -> Path:
    return harness.epochs.path(harness.epochs.newest)
