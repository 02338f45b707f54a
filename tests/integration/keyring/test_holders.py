"""Destroyed means destroyed in every process that holds keys, when the call returns."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from pellicule.internal.retention.v1 import key_service_pb2, key_service_pb2_grpc
from services.chassis.clock import SystemClock
from services.chassis.supervision import supervised
from services.keyring import PurposeNotGranted
from services.keyring.client import RetentionKeyring
from services.keyring.purpose_keys import RetentionPurposeKeys
from tests.contract.keyring.suite import ADA, CLOUD, created, new_media, opened
from tests.fakes.network import FaultyNetwork, faulty_network
from tests.integration.keyring.test_keyring import RealHarness
from tests.integration.retention.harness import Callers, RunningRetention, running_retention


@pytest.fixture
async def other_replica(retention: RunningRetention, callers: Callers) -> AsyncIterator[RunningRetention]:
    """Run another process of the service on the same database."""
    async with running_retention(replace(retention.harness), callers) as running:
        yield running


@asynccontextmanager
async def holder(retention: RunningRetention, network: FaultyNetwork | None = None) -> AsyncIterator[RealHarness]:
    """Run a process that holds keys, behind a network of its own if one is given."""
    channel = await retention.as_service("ingest", None if network is None else network.port)
    keyring = RetentionKeyring(channel, SystemClock())
    async with supervised([keyring.run]):
        await keyring.listening()
        yield RealHarness(retention, keyring, RetentionPurposeKeys(await retention.as_service("consent")))


async def test_a_withdrawal_has_reached_every_holder_when_it_returns(retention: RunningRetention) -> None:
    async with AsyncExitStack() as stack:
        holders = [await stack.enter_async_context(holder(retention)) for _ in range(5)]
        for _ in range(20):
            await holders[0].grant(ADA, CLOUD)
            keys = await created(holders[0], (), ())
            for each in holders:
                await opened(each, *keys)
            await holders[0].withdraw(ADA, CLOUD)
            assert [each.keyring.held_count for each in holders] == [0] * 5


async def test_a_holder_that_hangs_has_let_go_when_a_withdrawal_returns(retention: RunningRetention) -> None:
    async with faulty_network(retention.internal_port) as network, holder(retention, network) as hung:
        await hung.grant(ADA, CLOUD)
        keys = await created(hung, (), ())
        await opened(hung, *keys)
        network.hold()
        await hung.withdraw(ADA, CLOUD)
        reading = asyncio.ensure_future(opened(hung, *keys))
        await asyncio.sleep(0)
        assert not reading.done()
        network.release()
        with pytest.raises(PurposeNotGranted):
            await reading


async def test_holders_at_other_replicas_have_let_go_as_well(
    retention: RunningRetention, other_replica: RunningRetention
) -> None:
    async with holder(retention) as here, holder(other_replica) as there:
        for _ in range(10):
            await here.grant(ADA, CLOUD)
            keys = await created(here, (), ())
            for each in (here, there):
                await opened(each, *keys)
            await here.withdraw(ADA, CLOUD)
            assert there.keyring.held_count == 0


async def test_a_holder_at_another_replica_that_hangs_has_let_go_as_well(
    retention: RunningRetention, other_replica: RunningRetention
) -> None:
    async with faulty_network(other_replica.internal_port) as network, holder(other_replica, network) as hung:
        await hung.grant(ADA, CLOUD)
        keys = await created(hung, (), ())
        await opened(hung, *keys)
        network.hold()
        await RealHarness(
            retention, hung.keyring, RetentionPurposeKeys(await retention.as_service("consent"))
        ).withdraw(ADA, CLOUD)
        reading = asyncio.ensure_future(opened(hung, *keys))
        await asyncio.sleep(0)
        assert not reading.done()
        network.release()
        with pytest.raises(PurposeNotGranted):
            await reading


async def test_holders_of_a_replica_that_is_gone_have_let_go_as_well(
    retention: RunningRetention, other_replica: RunningRetention
) -> None:
    async with faulty_network(other_replica.internal_port) as network, holder(other_replica, network) as left_alone:
        await left_alone.grant(ADA, CLOUD)
        keys = await created(left_alone, (), ())
        await opened(left_alone, *keys)
        network.hold()
        await other_replica.stop()
        withdrawing = RealHarness(
            retention, left_alone.keyring, RetentionPurposeKeys(await retention.as_service("consent"))
        )
        await withdrawing.withdraw(ADA, CLOUD)
        reading = asyncio.ensure_future(opened(left_alone, *keys))
        await asyncio.sleep(0)
        assert not reading.done()
        reading.cancel()
        network.release()


async def test_a_holder_that_connects_anew_holds_nothing_of_before(retention: RunningRetention) -> None:
    async with faulty_network(retention.internal_port) as network, holder(retention, network) as returning:
        await returning.grant(ADA, CLOUD)
        keys = await created(returning, (), ())
        await opened(returning, *keys)
        network.hold()
        network.cut()
        withdrawing = asyncio.ensure_future(returning.withdraw(ADA, CLOUD))
        network.release()
        await returning.keyring.listening()
        await withdrawing
        with pytest.raises(PurposeNotGranted):
            await opened(returning, *keys)


async def test_an_erasure_has_reached_every_holder_when_it_returns(retention: RunningRetention) -> None:
    async with holder(retention) as one, holder(retention) as other:
        await one.grant(ADA, CLOUD)
        media = new_media()
        keys = await created(one, *[(media,)] * 500)
        for each in (one, other):
            await opened(each, *keys)
        await one.erase_media(ADA, media)
        assert (one.keyring.held_count, other.keyring.held_count) == (0, 0)


async def test_a_holder_of_the_first_release_is_told_and_waited_for(retention: RunningRetention) -> None:
    async with holder(retention) as each:
        stub = key_service_pb2_grpc.KeyServiceStub(await retention.as_service("analysis"))
        stream = stub.WatchRevocations(key_service_pb2.WatchRevocationsRequest())
        assert await stream.read() == key_service_pb2.WatchRevocationsResponse()
        await each.grant(ADA, CLOUD)
        withdrawing = asyncio.ensure_future(each.withdraw(ADA, CLOUD))
        told = [message.subject async for message in first_words(stream)]
        assert (told[-1], withdrawing.done()) == (ADA, False)
        await withdrawing
        stream.cancel()


async def first_words(
    stream: AsyncIterable[key_service_pb2.WatchRevocationsResponse],
) -> AsyncIterator[key_service_pb2.WatchRevocationsResponse]:
    """Yield what a stream says, up to the first destruction."""
    async for message in stream:
        yield message
        if message.subject:
            return
