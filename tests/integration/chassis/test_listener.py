import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.listener import Listener, Notification, listen
from services.chassis.supervision import supervised

ANN, BOB = "a" * 32, "b" * 32


@pytest.fixture
async def listener(pool: Pool) -> AsyncIterator[Listener]:
    listener = Listener(pool, SystemClock(), "album")
    async with supervised([listener.run]):
        with listener.waiting("album", "") as listening:
            await asyncio.wait_for(listening.wait(), 5)
        yield listener


async def tell(pool: Pool, payload: str, channel: str = "album") -> None:
    async with pool.connection() as connection:
        await connection.execute("SELECT pg_notify(%s, %s)", (channel, payload))


async def end_listeners(pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE query LIKE '%heartbeat%' AND pid <> pg_backend_pid()
            """
        )


async def test_a_waiter_is_woken_for_its_own_payload_alone(pool: Pool, listener: Listener) -> None:
    with listener.waiting("album", ANN) as ann, listener.waiting("album", BOB) as bob:
        await tell(pool, ANN)
        await asyncio.wait_for(ann.wait(), 5)
        assert not bob.is_set()


async def test_every_waiter_is_woken_after_an_outage(pool: Pool, listener: Listener) -> None:
    with listener.waiting("album", ANN) as ann, listener.waiting("album", BOB) as bob:
        await end_listeners(pool)
        await asyncio.wait_for(asyncio.gather(ann.wait(), bob.wait()), 10)


async def test_no_connection_of_the_pool_is_kept(pool: Pool, listener: Listener) -> None:
    assert pool.get_stats()["pool_size"] == pool.get_stats()["pool_available"]


async def test_what_is_told_comes_in_order_and_silence_is_proved(pool: Pool) -> None:
    async with aclosing(listen(str(pool.conninfo), "album", heartbeat_seconds=0.05)) as told:
        first = await anext(told)
        await tell(pool, "1")
        await tell(pool, "2", "Another")
        await tell(pool, "3")
        heard = list[Notification]()
        while len(heard) < 2:
            heard += await anext(told)
        while await anext(told):
            pass
    assert first == ()
    assert heard == [Notification("album", "1"), Notification("album", "3")]


async def test_an_outage_is_said(pool: Pool) -> None:
    async with aclosing(listen(str(pool.conninfo), "album", heartbeat_seconds=0.05)) as told:
        await anext(told)
        await end_listeners(pool)
        with pytest.raises(DependencyUnavailable):
            [None async for _ in told]
