"""A process that dies between any two steps, and a database that comes back from an old backup."""

import asyncio
from pathlib import Path

import pytest
from psycopg import sql

from services.chassis.database import Pool
from services.retention.epoch_files import EpochFiles
from services.retention.errors import PurposeNotGranted
from services.retention.operations.clocks import rotate_epochs
from services.retention.store.database import PostgresStore
from tests.contract.retention.ground import ADA, CLOUD, DAY, LOCATION, Ground
from tests.fakes.clock import FakeClock

TABLES = ("epoch", "purpose_key", "purpose_decision", "data_key", "media")
Dump = dict[str, bytes]


class DiskFull(Exception):
    """The process dies here."""


class CrashingEpochs(EpochFiles):
    """Dies once at the step that it is told."""

    dies_at: str = ""

    def make(self, epoch: str) -> None:
        super().make(epoch)
        self._die("make")

    def begin(self, epoch: str) -> None:
        self._die("begin")
        super().begin(epoch)

    def destroy(self, epoch: str) -> None:
        self._die("destroy")
        super().destroy(epoch)

    def _die(self, step: str) -> None:
        if self.dies_at == step:
            raise DiskFull


async def test_a_dump_cannot_be_opened_once_its_epoch_is_destroyed(ground: Ground, pool: Pool) -> None:
    await ground.grant()
    [key] = await ground.create([])
    old = await dumped(pool)
    await ground.withdraw()
    for _ in range(8):
        await ground.tick(DAY)
    await restored(pool, old)
    with pytest.raises(PurposeNotGranted):
        await ground.open(key)


async def test_a_dump_of_today_opens_what_lives(ground: Ground, pool: Pool) -> None:
    await ground.grant()
    [key] = await ground.create([])
    await restored(pool, await dumped(pool))
    assert await ground.can_open(key)


async def test_a_destroyed_epoch_leaves_no_file_and_is_not_made_again(ground: Ground, pool: Pool) -> None:
    await ground.grant()
    old = await dumped(pool)
    files = {epoch_file(ground)}
    for _ in range(8):
        await ground.tick(DAY)
        files.add(epoch_file(ground))
    await restored(pool, old)
    await ground.tick()
    assert not min(files).exists()


async def test_stolen_tables_are_worth_nothing_without_the_files(
    ground: Ground, store: PostgresStore, tmp_path: Path
) -> None:
    await ground.grant()
    [key] = await ground.create([])
    thief = Ground(store, EpochFiles(tmp_path / "elsewhere", b"x" * 32), ground.clock)
    with pytest.raises(PurposeNotGranted):
        await thief.open(key)


@pytest.mark.parametrize("step", ["make", "begin", "destroy"])
async def test_a_turn_of_the_day_that_dies_is_finished_by_the_next(
    ground: Ground, store: PostgresStore, tmp_path: Path, clock: FakeClock, step: str
) -> None:
    crashing = CrashingEpochs(tmp_path / "crashing", b"k" * 32)
    await rotate_epochs(store=store, epoch_keys=crashing, clock=clock)
    ground.epochs = crashing
    first = crashing.newest
    await ground.grant()
    [key] = await ground.create([])
    clock.set(clock.now() + 8 * DAY)
    crashing.dies_at = step
    with pytest.raises(DiskFull):
        await rotate_epochs(store=store, epoch_keys=crashing, clock=clock)
    ground.epochs = EpochFiles(tmp_path / "crashing", b"k" * 32)
    assert await ground.can_open(key), "between the crash and the next turn"
    await rotate_epochs(store=store, epoch_keys=ground.epochs, clock=clock)
    assert await ground.can_open(key)
    assert not ground.epochs.has(first)


async def test_an_epoch_that_is_still_used_is_never_destroyed(
    ground: Ground, store: PostgresStore, pool: Pool, clock: FakeClock
) -> None:
    first = ground.epochs.newest
    await ground.grant()
    [key] = await ground.create([])
    await ground.tick(DAY)
    async with pool.connection() as connection:
        await connection.execute("UPDATE epoch SET make_time = make_time - interval '30 days'")
        await connection.execute("UPDATE purpose_key SET epoch = %s", [ground.epochs.newest])
    await ground.tick()
    assert not ground.epochs.has(first)
    assert ground.epochs.has(ground.epochs.newest)
    assert await ground.can_open(key)


async def test_rows_left_by_a_withdrawal_are_cleared_over_many_batches_and_restarts(ground: Ground, pool: Pool) -> None:
    await ground.grant()
    await ground.grant(purpose=LOCATION)
    for _ in range(3):
        await ground.create(*[[]] * 900)
    [kept] = await ground.create([], purpose=LOCATION)
    await ground.withdraw(ADA, CLOUD)
    loop = asyncio.create_task(ground.loop.run())
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await ground.tick()
    async with pool.connection() as connection:
        assert await (await connection.execute("SELECT count(*) FROM data_key")).fetchone() == (1,)
    assert await ground.can_open(kept, purpose=LOCATION)


async def dumped(pool: Pool) -> Dump:
    """Returns the tables as a backup program would write them."""
    dump: Dump = {}
    async with pool.connection() as connection, connection.cursor() as cursor:
        for table in TABLES:
            async with cursor.copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(table))) as copy:
                dump[table] = b"".join([bytes(chunk) async for chunk in copy])
    return dump


async def restored(pool: Pool, dump: Dump) -> None:
    """Puts a backup in the place of what is there."""
    async with pool.connection() as connection, connection.cursor() as cursor:
        await cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(map(sql.Identifier, TABLES))))
        for table in TABLES:
            async with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(sql.Identifier(table))) as copy:
                await copy.write(dump[table])


def epoch_file(ground: Ground) -> Path:
    return ground.epochs.path(ground.epochs.newest)
