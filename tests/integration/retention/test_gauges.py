from services.chassis.database import Pool
from services.retention.store.gauges import PURPOSE_KEYS_LOST, purge_order_gauges
from tests.contract.retention.harness import RetentionHarness


async def lost_keys(pool: Pool) -> list[float]:
    return [reading.value for reading in await purge_order_gauges(pool)() if reading.metric is PURPOSE_KEYS_LOST]


async def test_a_lost_key_is_counted(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    assert await lost_keys(pool) == [0]
    harness.epochs.destroy(harness.epochs.newest)
    await harness.tick()
    assert await lost_keys(pool) == [1]
