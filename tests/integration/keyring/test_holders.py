"""Destroyed means destroyed in every process that holds keys, when the call returns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from services.chassis.clock import SystemClock
from services.chassis.supervision import supervised
from services.keyring import PurposeNotGranted
from services.keyring.client import RetentionKeyring
from services.keyring.purpose_keys import RetentionPurposeKeys
from tests.contract.keyring.suite import ADA, CLOUD, created, opened
from tests.fakes.network import FaultyNetwork, faulty_network
from tests.integration.keyring.test_keyring import RealHarness
from tests.integration.retention.harness import RunningRetention


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
