from services.chassis.database import Pool
from services.retention.store.gauges import PURPOSE_KEYS_LOST, epoch_gauges, purge_order_gauges
from tests.contract.retention.harness import DAY, RetentionHarness


async def lost_keys(pool: Pool) -> list[float]:
    return [reading.value for reading in await purge_order_gauges(pool)() if reading.metric is PURPOSE_KEYS_LOST]


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
        assert [reading.value for reading in await epoch_gauges(pool)()] == [overdue]
