import asyncio
from collections.abc import AsyncIterator

import pytest

from services.chassis.database import Pool, open_pool
from services.chassis.settings import DatabaseSettings


@pytest.fixture
async def narrow(database: DatabaseSettings) -> AsyncIterator[Pool]:
    async with open_pool(database.model_copy(update={"database_pool_size": 1})) as pool:
        yield pool


@pytest.mark.parametrize("turns", range(10))
async def test_a_waiter_is_cancelled_in_whatever_moment_its_connection_comes(narrow: Pool, turns: int) -> None:
    connection = await narrow.getconn()
    waiter = asyncio.create_task(narrow.getconn())
    await asyncio.sleep(0.01)
    await narrow.putconn(connection)
    for _ in range(turns):
        await asyncio.sleep(0)
    in_time = waiter.cancel()
    await asyncio.wait([waiter])
    assert waiter.cancelled() == in_time
    if not in_time:
        await narrow.putconn(waiter.result())
    assert (await narrow.getconn()) is connection
    await narrow.putconn(connection)


async def test_times_are_in_utc_whatever_the_server_s_zone_is(narrow: Pool) -> None:
    async with narrow.connection() as connection:
        (zone,) = await (await connection.execute("SHOW timezone")).fetchone() or ()
    assert zone == "UTC"
