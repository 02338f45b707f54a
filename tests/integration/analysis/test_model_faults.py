"""The worker over the real client, with an inference server that fails on demand: what waits is not lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio

from inference.client.client import InferenceClient
from inference.client.retries import CallPolicy
from inference.model_build.manifest import shipped_model
from services.analysis.domain.media import MediaState, ParkedReason
from services.analysis.domain.pace import Pace
from services.analysis.vision.triton_models import SERVED, TritonModels
from services.analysis.worker import Worker
from tests.fakes import faults
from tests.fakes.clock import FakeClock
from tests.fakes.fault_server import FaultServer, fault_server, shipped
from tests.fakes.faults import Fault
from tests.fakes.set_aside import FakeSetAside
from tests.unit.analysis.harness import ANN, EVERYTHING, Harness

MEDIA = 2
ROUNDS = 10
OUT = "face_detector"
LONGER_THAN_ANY_DELAY = 31.0
RECONNECTED = 3.0
"""Seconds after which a connection that waits before it tries again has tried."""
OUTAGES = (
    faults.DEAD_PROCESS,
    faults.DRAINING,
    faults.DRAINING_NEWER,
    faults.QUEUE_FULL,
    faults.OUT_OF_MEMORY,
    faults.UNKNOWN_MODEL,
    faults.MODEL_RAISED,
    faults.EMPTY,
    faults.NOT_A_NUMBER,
)
"""What keeps every picture from being analysed; more rounds of it than a media may have faults."""


class RunningClock:
    """The harness's clock, which runs between the steps of the test: sockets do not wait for it."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._began = time.monotonic()

    def monotonic(self) -> float:
        return self._clock.monotonic() + time.monotonic() - self._began

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Analysing:
    """A worker whose models are on a server that fails on demand."""

    def __init__(self, server: FaultServer, client: InferenceClient, harness: Harness) -> None:
        self.server = server
        self._world = harness
        vision = replace(self._world.dependencies.vision, models=TritonModels(client))
        self._worker = Worker(
            replace(self._world.dependencies, vision=vision), Pace(batch=2, in_hand=4), FakeSetAside()
        )

    async def bring_in(self) -> None:
        self._world.keyring.grant(ANN, *EVERYTHING)
        for _ in range(MEDIA):
            await self._world.bring_in()
        await self._worker.sweep_models()

    async def work(self, rounds: int = 1) -> None:
        """Works on what is due, waits out every delay and every breaker, and works again."""
        for _ in range(rounds):
            await self._worker.drain()
            await self._world.clock.advance(LONGER_THAN_ANY_DELAY)

    async def work_it_off(self) -> None:
        """Works until nothing is pending, at most as many rounds as an outage had.

        The connection waits for up to 1.2 s of its own before it tries a server again that was gone.
        """
        for _ in range(ROUNDS):
            await self.work()
            if MediaState.PENDING not in await self.states():
                return
            await asyncio.sleep(RECONNECTED / ROUNDS)

    async def states(self) -> Sequence[MediaState]:
        return [status.state for status in await self._world.store.statuses(ANN)]

    async def reasons(self) -> set[ParkedReason | None]:
        return {status.parked_reason for status in await self._world.store.statuses(ANN)}

    def stored(self) -> int:
        return len(self._world.store.records)


@pytest_asyncio.fixture
async def analysing() -> AsyncIterator[Analysing]:
    harness, policy = Harness(), CallPolicy(queue=10.0, response=10.0, first_retry=0.01)
    clock = RunningClock(harness.clock)
    models = [shipped(shipped_model(name)) for name in SERVED]
    async with fault_server(*models) as server, InferenceClient(server.address, clock, policy=policy) as client:
        analysing = Analysing(server, client, harness)
        await analysing.bring_in()
        yield analysing


@pytest.mark.parametrize("outage", OUTAGES)
async def test_an_outage_of_a_model_delays_media_and_parks_none(analysing: Analysing, outage: Fault) -> None:
    analysing.server.models[OUT].always = outage
    await analysing.work(ROUNDS)
    assert set(await analysing.states()) == {MediaState.PENDING}
    assert analysing.stored() == 0
    analysing.server.models[OUT].always = None
    await analysing.work_it_off()
    assert list(await analysing.states()) == [MediaState.DONE] * MEDIA


async def test_a_server_that_is_gone_delays_media_and_parks_none(analysing: Analysing) -> None:
    await analysing.server.stop()
    await analysing.work(ROUNDS)
    assert set(await analysing.states()) == {MediaState.PENDING}
    await analysing.server.start()
    await analysing.work_it_off()
    assert list(await analysing.states()) == [MediaState.DONE] * MEDIA


async def test_a_model_that_refuses_every_picture_parks_them_with_the_reason(analysing: Analysing) -> None:
    analysing.server.models[OUT].always = faults.BAD_TENSOR
    await analysing.work()
    assert await analysing.reasons() == {ParkedReason.MODEL_REFUSED}


async def test_faults_between_answers_cost_a_repetition(analysing: Analysing) -> None:
    detector = analysing.server.models[OUT]
    detector.fail_next(faults.NOT_A_NUMBER, faults.DRAINING, faults.QUEUE_FULL, faults.SHORT, faults.OUT_OF_MEMORY)
    await analysing.work_it_off()
    assert list(await analysing.states()) == [MediaState.DONE] * MEDIA
