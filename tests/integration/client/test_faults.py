"""The client over real gRPC to a server that fails on demand: every row of the table, and what follows from it."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from inference.client.client import InferenceClient
from inference.client.errors import (
    ModelAnswerBroken,
    ModelBusy,
    ModelFault,
    ModelMissing,
    ModelUnavailable,
    OutOfMemory,
    TensorRefused,
)
from inference.client.retries import CallPolicy
from inference.client.tensors import OutputSpec
from tests.fakes import faults
from tests.fakes.fault_server import FaultServer, doubler, fault_server
from tests.fakes.faults import Fault, Hang
from tests.integration.client.calls import SkippingClock, at_a_time, infer_once, until_answered

LONGER_THAN_ANY_BREAKER = 10.0
POLICY = CallPolicy(queue=30.0, response=30.0, first_retry=0.01)


@pytest.fixture
def clock() -> SkippingClock:
    return SkippingClock()


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with fault_server(doubler()) as server:
        yield server


@pytest_asyncio.fixture
async def client(server: FaultServer, clock: SkippingClock) -> AsyncIterator[InferenceClient]:
    async with InferenceClient(server.address, clock, policy=POLICY) as client:
        yield client


async def test_a_call_returns_outputs(client: InferenceClient) -> None:
    assert await infer_once(client, 21) == 42


async def test_more_examples_than_a_batch_holds_go_in_portions_and_come_back_in_order(
    client: InferenceClient, server: FaultServer
) -> None:
    x = np.arange(84, dtype=np.float32).reshape(21, 4)
    answer = await client.infer("doubler", {"x": x}, (OutputSpec("y", (4,)),))
    assert np.array_equal(answer.floats("y"), 2 * x)
    assert sorted(server.models["doubler"].batches) == [5, 8, 8]


async def test_a_model_without_batches_is_asked_without_one(clock: SkippingClock) -> None:
    async with fault_server(doubler(largest_batch=0)) as server, InferenceClient(server.address, clock) as client:
        answer = await client.infer("doubler", {"x": np.ones(4, np.float32)}, (OutputSpec("y", (4,)),))
        assert answer.floats("y").tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("fault", faults.SPOILT)
async def test_an_answer_that_cannot_be_used_names_its_model_and_output(
    client: InferenceClient, server: FaultServer, fault: Fault
) -> None:
    server.models["doubler"].fail_next(fault)
    with pytest.raises(ModelAnswerBroken, match=r"doubler: output 'y'") as caught:
        await infer_once(client)
    assert (caught.value.model, caught.value.output) == ("doubler", "y")
    assert await infer_once(client) == 2


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        (faults.QUEUE_FULL, ModelBusy, 1),
        (faults.QUEUE_TIMEOUT, ModelBusy, 1),
        (faults.DRAINING, ModelUnavailable, 3),
        (faults.DRAINING_NEWER, ModelUnavailable, 3),
        (faults.DRAINING_NEWEST, ModelUnavailable, 3),
        (faults.UNKNOWN_MODEL, ModelMissing, 1),
        (faults.DEAD_PROCESS, ModelUnavailable, 1),
        (faults.BAD_TENSOR, TensorRefused, 1),
        (faults.OUT_OF_MEMORY, OutOfMemory, 1),
        (faults.MODEL_RAISED, ModelAnswerBroken, 1),
        (faults.UNHEARD_OF, ModelUnavailable, 1),
    ],
)
async def test_every_error_has_its_answer_and_is_retried_only_where_that_helps(
    client: InferenceClient, server: FaultServer, fault: Fault, error: type[ModelFault], requests: int
) -> None:
    server.models["doubler"].always = fault
    with pytest.raises(error) as caught:
        await infer_once(client)
    assert type(caught.value) is error
    assert server.models["doubler"].asked == requests


@pytest.mark.parametrize("fault", [faults.DRAINING, faults.DRAINING_NEWER, faults.DRAINING_NEWEST])
async def test_what_was_not_looked_at_is_sent_again(client: InferenceClient, server: FaultServer, fault: Fault) -> None:
    server.models["doubler"].fail_next(fault, fault)
    assert await infer_once(client) == 2


async def test_a_dead_model_process_is_left_alone_at_once(client: InferenceClient, server: FaultServer) -> None:
    model = server.models["doubler"]
    model.always = faults.DEAD_PROCESS
    for _ in range(10):
        with pytest.raises(ModelUnavailable):
            await infer_once(client)
    assert model.asked == 1
    assert client.paused(["doubler"]).total_seconds() > 0


async def test_one_probe_finds_out_whether_a_server_has_recovered_while_all_calls_wait_for_it(
    client: InferenceClient, server: FaultServer, clock: SkippingClock
) -> None:
    model = server.models["doubler"]
    model.fail_next(faults.DEAD_PROCESS)
    with pytest.raises(ModelUnavailable):
        await infer_once(client)
    clock.skip(LONGER_THAN_ANY_BREAKER)
    model.fail_next(faults.DEAD_PROCESS)
    answers = await asyncio.gather(*(infer_once(client) for _ in range(20)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {ModelUnavailable}
    assert model.asked == 2
    clock.skip(LONGER_THAN_ANY_BREAKER)
    assert await asyncio.gather(*(infer_once(client) for _ in range(20))) == [2.0] * 20
    assert model.asked == 2 + 1 + 20


async def test_a_model_that_answers_everybody_with_nothing_is_left_alone(
    client: InferenceClient, server: FaultServer, clock: SkippingClock
) -> None:
    model = server.models["doubler"]
    model.always = faults.EMPTY
    for _ in range(3):
        with pytest.raises(ModelAnswerBroken):
            await infer_once(client)
    with pytest.raises(ModelUnavailable):
        await infer_once(client)
    model.always = None
    clock.skip(LONGER_THAN_ANY_BREAKER)
    assert await infer_once(client) == 2


async def test_a_batch_that_finds_no_memory_is_halved_once(client: InferenceClient, server: FaultServer) -> None:
    model = server.models["doubler"]
    model.fail_next(faults.OUT_OF_MEMORY)
    assert await infer_once(client, count=7) == 2
    assert model.batches == [7, 4, 3]


async def test_a_batch_whose_half_finds_no_memory_either_counts_as_a_failure(
    client: InferenceClient, server: FaultServer
) -> None:
    server.models["doubler"].always = faults.OUT_OF_MEMORY
    for _ in range(3):
        with pytest.raises(OutOfMemory):
            await infer_once(client, count=8)
    assert client.paused(["doubler"]).total_seconds() > 0
    assert server.models["doubler"].batches == [8, 4] * 3


async def test_who_gives_up_takes_the_request_off_the_server_and_frees_the_place(
    client: InferenceClient, server: FaultServer
) -> None:
    model = server.models["doubler"]
    await infer_once(client)
    model.fail_next(*[Hang()] * 16)
    hanging = [asyncio.create_task(infer_once(client)) for _ in range(16)]
    async with asyncio.timeout(30):
        while model.present < 16:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0.01)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    assert await infer_once(client) == 2
    async with asyncio.timeout(30):
        while model.cancelled < 16:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_nothing_is_waited_for_beyond_the_deadline(
    client: InferenceClient, server: FaultServer, clock: SkippingClock
) -> None:
    server.models["doubler"].always = Hang()
    async with asyncio.timeout(POLICY.response):
        for _ in range(5):
            with pytest.raises(ModelUnavailable):
                await infer_once(client, deadline=clock.monotonic() + 0.3)
    assert client.paused(["doubler"]).total_seconds() == 0


async def test_a_server_that_hangs_is_left_alone(server: FaultServer, clock: SkippingClock) -> None:
    server.models["doubler"].always = Hang()
    async with InferenceClient(server.address, clock, policy=CallPolicy(response=0.2)) as client:
        for _ in range(3):
            with pytest.raises(ModelUnavailable):
                await infer_once(client)
        assert client.paused(["doubler"]).total_seconds() > 0


async def test_a_server_that_closes_connections_repeatedly_loses_no_call(clock: SkippingClock) -> None:
    async with (
        fault_server(doubler(seconds=0.03), longest_connection=0.5) as server,
        InferenceClient(server.address, clock, policy=POLICY) as client,
    ):
        for number in range(60):
            assert await infer_once(client, number) == 2 * number


async def test_a_server_that_goes_and_comes_back_is_found_again(
    client: InferenceClient, server: FaultServer, clock: SkippingClock
) -> None:
    model = server.models["doubler"]
    await infer_once(client)
    model.fail_next(*[Hang()] * 4)
    cut_off = [asyncio.create_task(infer_once(client)) for _ in range(4)]
    async with asyncio.timeout(30):
        while model.present < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await server.stop()
    for outcome in await asyncio.gather(*cut_off, return_exceptions=True):
        assert isinstance(outcome, ModelUnavailable)
    await server.start()
    async with asyncio.timeout(60):
        assert await until_answered(client) == 2


async def test_a_server_that_comes_late_is_waited_for(clock: SkippingClock) -> None:
    server = FaultServer([doubler()])
    await server.start()
    await server.stop()
    async with InferenceClient(server.address, clock, policy=POLICY) as client:
        with pytest.raises(ModelUnavailable):
            await infer_once(client)
        await server.start()
        async with asyncio.timeout(60):
            assert await until_answered(client) == 2
    await server.stop()


async def test_a_server_may_come_back_as_another_one(
    client: InferenceClient, server: FaultServer, clock: SkippingClock
) -> None:
    server.models["doubler"] = doubler(identity="doubler-1", largest_batch=8)
    assert (await client.identity("doubler"), await infer_once(client, count=8)) == ("doubler-1", 2)
    await server.stop()
    with pytest.raises(ModelUnavailable):
        await infer_once(client)
    server.models["doubler"] = doubler(identity="doubler-2", largest_batch=2)
    await server.start()
    async with asyncio.timeout(60):
        await until_answered(client)
    assert await client.identity("doubler") == "doubler-2"
    assert await infer_once(client, count=8) == 2
    assert server.models["doubler"].batches[-4:] == [2, 2, 2, 2]


async def test_a_model_that_nobody_names_has_no_identity(client: InferenceClient) -> None:
    with pytest.raises(ModelMissing, match="does not say what it is"):
        await client.identity("doubler")


async def test_ten_times_more_than_it_can_take_is_answered_or_refused_and_in_the_end_all_answered(
    clock: SkippingClock,
) -> None:
    model = doubler(largest_batch=16, works=2, queue=6, seconds=0.005)
    async with fault_server(model) as server, InferenceClient(server.address, clock, policy=POLICY) as client:
        outcomes = await asyncio.gather(*(until_answered(client, number) for number in range(320)))
        assert outcomes == [2.0 * number for number in range(320)]
        refused_first = model.asked - model.answered
        model.asked = model.answered = 0
        await asyncio.gather(*(until_answered(client, number) for number in range(320)))
        assert model.asked - model.answered <= max(refused_first, 64)


async def test_who_finds_no_place_in_time_is_told_when_to_come_again(server: FaultServer, clock: SkippingClock) -> None:
    server.models["doubler"] = doubler(largest_batch=1, seconds=1.0)
    policy = CallPolicy(queue=0.1, response=5.0)
    async with InferenceClient(server.address, clock, policy=policy) as client:
        outcomes = await asyncio.gather(*(infer_once(client) for _ in range(8)), return_exceptions=True)
    busy = [outcome for outcome in outcomes if isinstance(outcome, ModelBusy)]
    assert (len(busy), outcomes.count(2.0), server.models["doubler"].most) == (6, 2, 2)
    assert all(each.retry_after.total_seconds() >= 0.5 for each in busy)


async def test_a_queue_on_the_server_is_made_shorter_by_asking_for_less(clock: SkippingClock) -> None:
    # 32 at a time wait for a second, four times what may be waited for, on any machine.
    model = doubler(largest_batch=16, works=1, seconds=0.03)
    async with fault_server(model) as server, InferenceClient(server.address, clock, policy=POLICY) as client:
        await at_a_time(client, 1, requests=8)
        await at_a_time(client, 40, requests=64)
        assert model.most == 32, "as many as it may ask for at first"
        async with asyncio.timeout(120):
            while model.most >= 32:
                model.most = 0
                await at_a_time(client, 40, requests=64)


async def test_one_model_that_is_slow_does_not_hold_up_the_others(clock: SkippingClock) -> None:
    slow, quick = doubler("slow", largest_batch=1), doubler("quick")
    slow.always = Hang()
    async with (
        fault_server(slow, quick) as server,
        InferenceClient(server.address, clock, policy=POLICY) as client,
    ):
        waiting = [asyncio.create_task(infer_once(client, model="slow")) for _ in range(6)]
        for _ in range(50):
            assert await infer_once(client, model="quick") == 2
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
