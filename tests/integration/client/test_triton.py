"""The client and a real Triton: killed model processes, a drain, load, and answers that cannot be used."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from deploy.local.plan import Unit
from deploy.local.watch import Watch
from inference.client.client import InferenceClient
from inference.client.errors import ModelAnswerBroken, ModelMissing, ModelUnavailable, TensorRefused
from inference.client.retries import CallPolicy
from inference.client.tensors import TensorFacts
from services.chassis.clock import SystemClock
from tests.integration.client.calls import TWICE, SkippingClock, infer_once, until_answered
from tests.integration.client.harness import (
    NOT_A_NUMBER,
    NOTHING,
    RAISES,
    SLOW,
    WORKED,
    ModelServer,
    kill_models,
    model_server,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
POLICY = CallPolicy(queue=20.0, response=20.0, first_retry=0.05)
LONG = 180.0
"""Seconds within which everything recovers, on the busiest machine."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ModelServer]:
    async with model_server(tmp_path_factory.mktemp("server"), "doubler", "other") as server:
        await server.start()
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def client(server: ModelServer) -> AsyncIterator[InferenceClient]:
    async with InferenceClient(server.address, SkippingClock(), policy=POLICY) as client:
        yield client


async def test_the_server_says_what_it_serves(client: InferenceClient) -> None:
    facts = await client.facts("doubler")
    assert (facts.identity, facts.largest_batch, facts.instances) == ("doubler-7", 8, 1)
    assert (facts.inputs, facts.outputs) == ({"x": TensorFacts("FP32", (4,))}, {"y": TensorFacts("FP32", (4,))})


async def test_a_tensor_of_another_shape_is_refused_and_hurts_nobody_else(client: InferenceClient) -> None:
    good = [asyncio.create_task(infer_once(client, number)) for number in range(8)]
    with pytest.raises(TensorRefused, match="doubler"):
        await client.infer("doubler", {"x": np.ones((1, 3), np.float32)}, TWICE)
    with pytest.raises(TensorRefused):
        await client.infer("doubler", {"x": np.ones((1, 4), np.int32)}, TWICE)
    assert await asyncio.gather(*good) == [2.0 * number for number in range(8)]


@pytest.mark.parametrize("number", [NOT_A_NUMBER, NOTHING])
async def test_an_answer_that_is_none_is_never_taken_for_one(client: InferenceClient, number: float) -> None:
    with pytest.raises(ModelAnswerBroken, match=r"doubler: output 'y'"):
        await infer_once(client, number)
    assert await infer_once(client) == 2


async def test_a_model_that_raises_is_named(client: InferenceClient) -> None:
    with pytest.raises(ModelAnswerBroken, match=r"doubler: .*a node failed"):
        await infer_once(client, RAISES)
    assert await infer_once(client) == 2


async def test_a_model_that_is_not_there_is_missing_for_good(client: InferenceClient) -> None:
    with pytest.raises(ModelMissing, match="is not found"):
        await infer_once(client, model="nobody")


async def test_what_nobody_waits_for_any_more_is_not_worked_on(client: InferenceClient) -> None:
    """The model looks whether somebody waits, before each."""
    before = await infer_once(client, WORKED)
    waiting = [asyncio.create_task(infer_once(client, SLOW)) for _ in range(16)]
    first, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert first
    assert await infer_once(client, WORKED) - before < 16


async def test_a_slow_model_does_not_hold_up_another(client: InferenceClient) -> None:
    await infer_once(client)
    slow = [asyncio.create_task(infer_once(client, SLOW)) for _ in range(16)]
    for number in range(10):
        assert await infer_once(client, number, model="other") == 2 * number
    assert not all(task.done() for task in slow)
    assert await asyncio.gather(*slow) == [2 * SLOW] * 16


async def test_ten_times_the_load_is_answered_whole_and_leaves_the_server_as_it_was(client: InferenceClient) -> None:
    async with asyncio.timeout(LONG):
        numbers = range(1600 // 2)
        outcomes = await asyncio.gather(*(until_answered(client, number) for number in numbers))
        assert outcomes == [2.0 * number for number in numbers]
        assert await infer_once(client) == 2
    assert client.paused(["doubler"]).total_seconds() == 0


async def test_dead_model_processes_are_found_and_the_server_restarted_and_nothing_is_lost(tmp_path: Path) -> None:
    """The stack's watch sends golden inputs, the client's breaker holds calls back meanwhile."""
    async with model_server(tmp_path, "doubler") as server:
        watch = Watch(Unit(server.part, patience=2, interval=0.5), SystemClock(), lambda: None)
        life = asyncio.create_task(watch.run())
        try:
            async with (
                asyncio.timeout(LONG),
                InferenceClient(server.address, SystemClock(), policy=POLICY) as client,
            ):
                await watch.ready.wait()
                assert await infer_once(client) == 2
                assert watch.state.process is not None
                kill_models(watch.state.process.pid)
                with pytest.raises(ModelUnavailable):
                    await infer_once(client)
                outcomes = await asyncio.gather(*(until_answered(client, number) for number in range(64)))
            assert outcomes == [2.0 * number for number in range(64)]
            assert watch.state.restarts == 1
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            await watch.stop()


async def test_a_server_that_is_drained_answers_what_it_took_and_the_next_one_the_rest(tmp_path: Path) -> None:
    async with model_server(tmp_path, "doubler") as server:
        await server.start()
        async with (
            asyncio.timeout(LONG),
            InferenceClient(server.address, SystemClock(), policy=POLICY) as client,
        ):
            await infer_once(client)
            taken = [asyncio.create_task(until_answered(client, SLOW)) for _ in range(4)]
            await asyncio.wait(taken, return_when=asyncio.FIRST_COMPLETED)
            server.drain()
            later = [asyncio.create_task(until_answered(client, number)) for number in range(32)]
            await server.process.exited(LONG)
            await server.stop()
            await server.start()
            assert await asyncio.gather(*taken) == [2 * SLOW] * 4
            assert await asyncio.gather(*later) == [2.0 * number for number in range(32)]


async def test_a_server_that_comes_late_is_found(tmp_path: Path) -> None:
    async with (
        model_server(tmp_path, "doubler") as server,
        asyncio.timeout(LONG),
        InferenceClient(server.address, SystemClock(), policy=POLICY) as client,
    ):
        early = [asyncio.create_task(until_answered(client, number)) for number in range(8)]
        await server.start()
        assert await asyncio.gather(*early) == [2.0 * number for number in range(8)]
