from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.ops.inside.looks import looks_of
from services.chassis.database import Pool
from services.chassis.gauges import Look
from services.chassis.metrics import Metric
from services.journal.directory import JournalDirectory
from services.retention.store.gauges import (
    DEADLINES_OVERDUE,
    EPOCHS_AGE,
    EPOCHS_LIVE,
    EPOCHS_OVERDUE,
    JOURNAL_PENDING,
    PURGE_ORDERS_AGE,
    PURGE_ORDERS_OPEN,
    PURGE_ORDERS_OVERDUE,
    PURPOSE_KEYS_LOST,
    deadline_gauges,
    epoch_gauges,
    purge_order_gauges,
)
from tests.contract.retention.harness import DAY, RetentionHarness


async def values(look: Look, metric: Metric) -> list[float]:
    return [reading.value for reading in await look() if reading.metric is metric]


async def lost_keys(pool: Pool) -> list[float]:
    return await values(purge_order_gauges(pool, ["ingest"]), PURPOSE_KEYS_LOST)


async def test_a_lost_key_is_counted(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    assert await lost_keys(pool) == [0]
    await harness.tick(DAY)
    harness.epochs.destroy(harness.epochs.newest)
    await harness.tick()
    assert await lost_keys(pool) == [1]


async def test_an_epoch_that_outlives_its_end_is_counted(harness: RetentionHarness, pool: Pool) -> None:
    for age, overdue in (("7 days", 0), ("8 days", 1)):
        async with pool.connection() as connection:
            await connection.execute("UPDATE epoch SET make_time = now() - %s::interval", [age])
        assert await values(epoch_gauges(pool), EPOCHS_OVERDUE) == [overdue]


async def test_epochs_are_counted_and_the_newest_has_an_age(harness: RetentionHarness, pool: Pool) -> None:
    await harness.tick()
    async with pool.connection() as connection:
        await connection.execute("UPDATE epoch SET make_time = now() - interval '30 hours'")
    assert await values(epoch_gauges(pool), EPOCHS_LIVE) == [1]
    (age,) = await values(epoch_gauges(pool), EPOCHS_AGE)
    assert round(age / 3600) == 30


async def test_orders_are_counted_for_every_service_that_may_have_one(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    await harness.create([])
    await harness.withdraw()
    async with pool.connection() as connection:
        await connection.execute("UPDATE purge_order SET create_time = now() - interval '25 hours'")
    look = purge_order_gauges(pool, ["ingest", "elsewhere"])
    found = {(each.metric, each.attributes.get("service")): each.value for each in await look()}
    assert (found[PURGE_ORDERS_OPEN, "ingest"], found[PURGE_ORDERS_OVERDUE, "ingest"]) == (1, 1)
    assert (found[PURGE_ORDERS_OPEN, "elsewhere"], found[PURGE_ORDERS_AGE, "elsewhere"]) == (0, 0)


async def test_what_outlives_its_end_is_counted(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    await harness.create([])
    for age, overdue in (("59 minutes", 0), ("61 minutes", 1)):
        async with pool.connection() as connection:
            await connection.execute("UPDATE data_key SET delete_time = now() - %s::interval", [age])
        assert await values(deadline_gauges(pool), DEADLINES_OVERDUE) == [overdue]
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO journal_pending (kind, body) VALUES ('DATA_KEYS', '[]')")
    assert (await values(deadline_gauges(pool), JOURNAL_PENDING))[0] >= 1


async def test_an_operator_s_look_counts_what_the_gauges_count(
    harness: RetentionHarness, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.tick()
    async with pool.connection() as connection:
        await connection.execute("UPDATE epoch SET make_time = now() - interval '8 days'")
    monkeypatch.setenv("PELLICULE_DATABASE_URL", str(pool.conninfo))

    looks = looks_of("retention")
    epochs = await looks["epochs"]()

    assert epochs["overdue"] == sum(await values(epoch_gauges(pool), EPOCHS_OVERDUE)) == 1
    assert epochs["live"] == sum(await values(epoch_gauges(pool), EPOCHS_LIVE))
    assert round(epochs["age_seconds"] / 3600) == 8 * 24
    assert epochs["unwritten"] == sum(await values(deadline_gauges(pool), JOURNAL_PENDING))
    assert epochs["deadlines_overdue"] == sum(await values(deadline_gauges(pool), DEADLINES_OVERDUE))
    assert await looks["failed"]() == {"dead_letters": 0, "set_aside": 0}


@pytest.fixture
def journal_look(pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Awaitable[Any]]:
    """Look at the journal in a folder of the test's own, and at the database."""
    monkeypatch.setenv("PELLICULE_DATABASE_URL", str(pool.conninfo))
    monkeypatch.setenv("PELLICULE_JOURNAL_DIR", str(tmp_path))
    return looks_of("retention")["journal"]


async def test_an_operator_s_look_finds_how_far_a_database_has_read_the_journal(
    journal_look: Callable[[], Awaitable[Any]],
) -> None:
    seen = await journal_look()

    assert set(seen) == {"journal", "position", "newest", "unread_seconds"}
    assert seen["newest"] is None
    assert seen["unread_seconds"] is None


async def test_a_record_that_is_not_read_yet_has_an_age(
    journal_look: Callable[[], Awaitable[Any]], tmp_path: Path
) -> None:
    position = (await journal_look())["position"]
    await JournalDirectory(tmp_path).create(0 if position is None else position + 1, b"{}")

    seen = await journal_look()

    assert 0 <= seen["unread_seconds"] < 60
