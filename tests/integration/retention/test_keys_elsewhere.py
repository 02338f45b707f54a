"""Promises of retention, wherever the keys of epochs are: no outage loses anything, no copy brings it back."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from services.chassis.database import Pool
from services.chassis.settings import DatabaseSettings
from services.journal.directory import JournalDirectory
from services.retention.domain.orders import PurgeCause
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.epochs.secret_epochs import KEPT_SECONDS
from services.retention.errors import EpochsMisplaced, KeysUnavailable
from services.retention.store.gauges import EPOCHS_REAPPEARED, epoch_gauges
from tests.contract.retention.harness import ADA, BEN, DAY, LOCATION
from tests.fakes.certificates import FakeAuthority
from tests.fakes.clock import FakeClock
from tests.fakes.cluster_api import ClusterApi, cluster_api
from tests.integration.retention.openbao import OpenBao, openbao
from tests.integration.retention.places import Engine, Folder, Place, Secret
from tests.integration.retention.test_journal import Restorable, begun, dumped, restored, truncate

Begin = Callable[[], AbstractAsyncContextManager[Restorable]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBao]:
    files = FakeAuthority(tmp_path_factory.mktemp("authority")).issue("openbao")
    async with openbao(tmp_path_factory.mktemp("openbao"), files) as server:
        yield server


@pytest.fixture
def api() -> Iterator[ClusterApi]:
    with cluster_api() as api:
        yield api


@pytest.fixture(params=["folder", "secret", "transit"])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock, api: ClusterApi, bao: OpenBao
) -> AsyncIterator[Place]:
    make: dict[str, Callable[[], Place]] = {
        "folder": lambda: Folder(tmp_path, clock),
        "secret": lambda: Secret(api, clock),
        "transit": lambda: Engine(bao, tmp_path, clock),
    }
    place = make[request.param]()
    yield place
    await place.close()


@pytest.fixture
async def begin(database: DatabaseSettings, pool: Pool, place: Place, tmp_path: Path, clock: FakeClock) -> Begin:
    """Begin a process of the service, on what the one before it has left."""
    await truncate(pool)
    nowhere = EpochFiles(tmp_path / "nowhere", b"n" * 32)
    journal = JournalDirectory(tmp_path / "journal")

    def begin() -> AbstractAsyncContextManager[Restorable]:
        return begun(database, journal, nowhere, clock, place.keys())

    return begin


async def test_what_lives_goes_on_and_epochs_end(begin: Begin, place: Place, pool: Pool) -> None:
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        [first] = place.epochs()
        keys = await harness.create(*[[uuid4()] for _ in range(20)])
        with capture_logs() as lines:
            for _ in range(8):
                await harness.tick(DAY)
        assert await harness.open(*keys) == {key.id: key.key for key in keys}
        assert (first in place.epochs(), len(place.epochs())) == (False, 7)
    async with begin() as process:
        assert await process.harness.open(*keys) == {key.id: key.key for key in keys}
    assert [line["event"] for line in lines if line["event"] in {"connection_held", "epoch_lost"}] == []


async def test_several_processes_agree(begin: Begin, place: Place, clock: FakeClock) -> None:
    async with begin() as one, begin() as two:
        await one.harness.grant()
        two.harness.revision = one.harness.revision
        [ours] = await one.harness.create([uuid4()])
        assert await two.harness.can_open(ours)
        clock.set(clock.now() + DAY)
        await two.harness.tick()
        [theirs] = await two.harness.create([uuid4()])
        assert await one.harness.can_open(theirs)
        await one.harness.tick()
        assert len(place.epochs()) == 2
        for _ in range(8):
            await two.harness.tick(DAY)
            await one.harness.tick()
        assert await one.harness.can_open(ours)
        assert await two.harness.can_open(theirs)
        assert len(place.epochs()) == 7


async def test_a_restored_database_opens_nothing_of_a_destroyed_epoch(begin: Begin, pool: Pool) -> None:
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        [withdrawn] = await harness.create([uuid4()])
        await harness.grant(purpose=LOCATION)
        [erased], [kept] = await harness.create([media := uuid4()]), await harness.create([uuid4()])
        old = await dumped(pool)
        await harness.erase(media)
        await harness.withdraw(ADA, LOCATION)
        for _ in range(8):
            await harness.tick(DAY)
        assert await harness.can_open(kept)
    await restored(pool, old)
    await pool.check()
    async with begin() as process:
        for key in (erased, kept, withdrawn):
            assert not await process.harness.can_open(key)


async def test_a_thief_of_an_old_copy_with_all_that_is_there_today_opens_nothing(
    begin: Begin, place: Place, pool: Pool, tmp_path: Path, database: DatabaseSettings, clock: FakeClock
) -> None:
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        [erased] = await harness.create([media := uuid4()])
        old = await dumped(pool)
        await harness.erase(media)
        for _ in range(8):
            await harness.tick(DAY)
        today = await dumped(pool)
    await restored(pool, {**today, "data_key": old["data_key"], "media": old["media"]})
    await pool.check()
    no_journal = JournalDirectory(tmp_path / "none")
    nowhere = EpochFiles(tmp_path / "nowhere", b"n" * 32)
    async with pool.connection() as connection:
        await connection.execute("DELETE FROM journal_position")
    async with begun(database, no_journal, nowhere, clock, place.keys()) as thief:
        assert not await thief.harness.can_open(erased)


async def test_an_epoch_that_a_copy_brings_back_is_destroyed_again_and_told(
    begin: Begin, place: Place, pool: Pool
) -> None:
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        [key] = await harness.create([uuid4()])
        [first] = place.epochs()
        database, keys = await dumped(pool), await place.copy()
        await harness.withdraw()
        for _ in range(8):
            await harness.tick(DAY)
        assert first not in place.epochs()
        await harness.journal.written()
    await place.put_back(keys)
    assert first in place.epochs()
    await restored(pool, database)
    await pool.check()
    with capture_logs() as lines:
        async with begin() as process:
            assert not await process.harness.can_open(key)
            assert first not in place.epochs()
            async with process.pool.connection() as connection:
                await connection.execute("UPDATE epoch SET reappear_time = now() WHERE reappear_time IS NOT NULL")
            readings = {each.metric: each.value for each in await epoch_gauges(process.pool)()}
    assert [line["epoch"] for line in lines if line["event"] == "epoch_reappeared"] == [first]
    assert readings[EPOCHS_REAPPEARED] == 1


async def test_an_older_copy_of_the_keys_alone_ends_nothing_and_is_told(
    begin: Begin, place: Place, clock: FakeClock
) -> None:
    if isinstance(place, Folder):
        pytest.skip("a folder that lacks one epoch has lost it")
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        before = await place.copy()
        await harness.tick(DAY)
        [key] = await harness.create([uuid4()])
        present = await place.copy()
        await place.put_back(before)
        await clock.advance(KEPT_SECONDS + 1)
        for _ in range(2):
            with pytest.raises(EpochsMisplaced, match=f"PELLICULE_LOST_EPOCHS={clock.now().date()}"):
                await harness.tick()
        assert not await harness.can_open(key)
        assert [order.cause for order in await harness.orders("ingest")] == []
        await place.put_back(present)
        await clock.advance(KEPT_SECONDS + 1)
        await harness.tick()
        assert await harness.can_open(key)


async def test_an_operator_gives_todays_epoch_up_by_name(begin: Begin, place: Place, clock: FakeClock) -> None:
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        await harness.tick(DAY)
        await harness.create([uuid4()])
        today = clock.now().date().isoformat()
        place.remove(today)
        await clock.advance(KEPT_SECONDS + 1)
        harness.lost_epochs = frozenset({today})
        await harness.tick()
        assert today in place.epochs()
        assert {order.cause for order in await harness.orders("ingest")} == {PurgeCause.KEY_LOST}
        await harness.grant()
        [key] = await harness.create([uuid4()])
        harness.lost_epochs = frozenset()
        await harness.tick()
        assert await harness.can_open(key)


async def test_another_key_of_todays_name_is_no_key_of_ours(begin: Begin, place: Place, clock: FakeClock) -> None:
    if isinstance(place, Folder):
        pytest.skip("a folder is told apart by its root key")
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        await harness.tick(DAY)
        today = clock.now().date().isoformat()
        place.remove(today)
        await place.keys().ensure(today)
        await clock.advance(KEPT_SECONDS + 1)
        with pytest.raises(EpochsMisplaced):
            await harness.tick()
        assert [order.cause for order in await harness.orders("ingest")] == []


async def test_an_outage_is_an_outage(
    begin: Begin, place: Place, bao: OpenBao, api: ClusterApi, clock: FakeClock
) -> None:
    if isinstance(place, Folder):
        pytest.skip("a folder does not go away")
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        [key] = await harness.create([uuid4()])
        api.refuses = 503
        await bao.stop()
        try:
            assert await harness.can_open(key), "what is in memory goes on for a while"
            clock.set(clock.now() + DAY)
            for attempt in (
                harness.tick,
                lambda: harness.open(key),
                lambda: harness.create([uuid4()]),
                lambda: harness.grant(BEN),
            ):
                with pytest.raises(KeysUnavailable):
                    await attempt()
            assert [order.cause for order in await harness.orders("ingest")] == []
            await harness.withdraw(ADA, LOCATION)
        finally:
            api.refuses = 0
            await bao.start()
        await harness.tick()
        assert await harness.can_open(key)
        await harness.grant(BEN)


async def test_withdrawing_needs_no_keys(
    begin: Begin, place: Place, bao: OpenBao, api: ClusterApi, clock: FakeClock
) -> None:
    if isinstance(place, Folder):
        pytest.skip("a folder does not go away")
    async with begin() as process:
        harness = process.harness
        await harness.grant()
        [key] = await harness.create([uuid4()])
        await clock.advance(2 * KEPT_SECONDS)
        api.refuses = 503
        await bao.stop()
        try:
            await harness.withdraw()
            await harness.erase_everything()
        finally:
            api.refuses = 0
            await bao.start()
        assert not await harness.can_open(key)
