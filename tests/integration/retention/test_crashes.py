"""A process that dies between any two steps, and a database that comes back from an old backup."""

import asyncio
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import pytest
from psycopg import sql

from services.chassis.database import Pool
from services.retention.domain.keys import FIRST_ID, NO_EPOCH, SealedKey
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.errors import EpochsMisplaced, PurposeNotGranted
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.operations.wrap_data_keys import BATCH, wrap_next_data_keys
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


async def test_an_erased_photo_does_not_open_out_of_a_backup_of_seven_days_ago(
    harness: RetentionHarness, pool: Pool
) -> None:
    await harness.grant()
    media = uuid4()
    [erased], [kept] = await harness.create([media]), await harness.create([uuid4()])
    old = await dumped(pool)
    await harness.erase(media)
    for _ in range(7):
        await harness.tick(DAY)
    assert await harness.can_open(kept), "what lives is wrapped anew in time"
    today = await dumped(pool)
    await restored(pool, {**today, "data_key": old["data_key"], "media": old["media"]})
    assert not await harness.can_open(erased), "today's purpose key and epochs open nothing of then"


async def test_the_newest_epochs_end_in_time_after_a_failover_to_an_older_replica(
    harness: RetentionHarness, pool: Pool
) -> None:
    await harness.grant()
    old = await dumped(pool)
    await harness.tick(DAY)
    unknown = epoch_file(harness)
    await restored(pool, old)
    await harness.tick()
    await harness.grant(purpose=LOCATION)
    await harness.tick(7 * DAY)
    assert not unknown.exists()


async def test_keys_from_before_epochs_open_and_are_wrapped_anew_once(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    keys = await harness.create(*[[]] * (BATCH + 1))
    await unbind(harness, pool)
    loop = harness.loop
    assert await harness.open(*keys) == {key.id: key.key for key in keys}
    for left in (1, 0):
        await loop.pass_once()
        assert await count(pool, "epoch IS NULL") == left, "a portion each time"
    assert await harness.open(*keys) == {key.id: key.key for key in keys}


async def test_keys_that_are_dead_do_not_keep_others_from_being_wrapped_anew(
    harness: RetentionHarness, pool: Pool
) -> None:
    await harness.grant()
    await harness.create(*[[]] * (2 * BATCH))
    await harness.grant(purpose=LOCATION)
    [kept] = await harness.create([], purpose=LOCATION)
    first = harness.epochs.newest
    harness.clock.set(harness.clock.now() + 6 * DAY)
    await rotate_epochs(harness.dependencies)
    await harness.withdraw(ADA, CLOUD)
    assert await wrap_next_data_keys(harness.dependencies)
    assert await count(pool, f"epoch <> '{first}'") == 1
    assert await harness.can_open(kept, purpose=LOCATION)


async def test_two_processes_wrap_the_same_keys_anew(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    keys = await harness.create(*[[]] * (3 * BATCH))
    first = harness.epochs.newest
    harness.clock.set(harness.clock.now() + 6 * DAY)
    await rotate_epochs(harness.dependencies)
    turns = (wrap_next_data_keys(harness.dependencies) for _ in range(8))
    await asyncio.gather(*turns, harness.withdraw(ADA, LOCATION))
    await harness.tick()
    assert await count(pool, f"epoch = '{first}'") == 0
    assert await harness.open(*keys) == {key.id: key.key for key in keys}


async def test_a_data_key_that_cannot_be_wrapped_anew_keeps_its_epoch_and_says_so(
    harness: RetentionHarness, pool: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    await harness.grant()
    [key] = await harness.create([])
    first = harness.epochs.newest
    async with pool.connection() as held:
        await held.execute("SELECT FROM data_key FOR UPDATE")
        for _ in range(8):
            await harness.tick(DAY)
        assert "epoch_still_in_use" in capsys.readouterr().out
        assert await harness.can_open(key), "what a person keeps does not die by a fault of ours"
    await harness.tick()
    assert not harness.epochs.has(first)
    assert await harness.can_open(key)


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
    with pytest.raises(EpochsMisplaced):
        await thief.open(key)


@pytest.mark.parametrize("step", ["make", "begin", "destroy"])
async def test_a_turn_of_the_day_that_dies_is_finished_by_the_next(
    store: PostgresStore, tmp_path: Path, clock: FakeClock, step: str
) -> None:
    crashing = CrashingEpochs(tmp_path / "crashing", b"k" * 32)
    harness = RetentionHarness(store, crashing, clock)
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


async def test_what_a_lost_epoch_wrapped_is_not_forgotten_by_a_turn_that_dies(
    store: PostgresStore, tmp_path: Path, clock: FakeClock
) -> None:
    crashing = CrashingEpochs(tmp_path / "crashing", b"k" * 32)
    harness = RetentionHarness(store, crashing, clock)
    await rotate_epochs(harness.dependencies)
    await harness.tick(DAY)
    await harness.grant()
    epoch_file(harness).unlink()
    crashing.dies_at = "make"
    with pytest.raises(DiskFull):
        await rotate_epochs(harness.dependencies)
    crashing.dies_at = ""
    await rotate_epochs(harness.dependencies)
    assert [order.cause for order in await harness.orders("consent")] == ["KEY_LOST"]
    await harness.grant()
    [key] = await harness.create([])
    assert await harness.can_open(key)


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
    loop = asyncio.create_task(harness.loop.keep_house())
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
        await cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")  # all tables as of one moment
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


async def unbind(harness: RetentionHarness, pool: Pool) -> None:
    """Put all data keys as the release before epochs kept them: under the purpose key alone."""
    async with harness.store.transaction() as transaction:
        portion = await transaction.keys.under_epoch(
            harness.epochs.newest, after=FIRST_ID, now=harness.clock.now(), limit=10_000
        )
        [group] = portion.living
        wrapper = harness.epochs.data_keys(group.purpose_key)
        keys = [
            SealedKey(key.id, wrapper.wrap(key.id, wrapper.unwrap(key.id, key.wrapped), NO_EPOCH)) for key in group.keys
        ]
        await transaction.keys.wrap_anew(keys)
    async with pool.connection() as connection:
        await connection.execute("UPDATE data_key SET epoch = NULL WHERE epoch = ''")


async def count(pool: Pool, condition: LiteralString) -> int:
    async with pool.connection() as connection:
        cursor = await connection.execute(sql.SQL("SELECT count(*) FROM data_key WHERE {}").format(sql.SQL(condition)))
        [(found,)] = await cursor.fetchall()
        return int(found)


def epoch_file(harness: RetentionHarness) -> Path:
    return harness.epochs.path(harness.epochs.newest)
