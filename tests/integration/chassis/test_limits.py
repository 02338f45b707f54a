"""What one caller may have of a service, and that another one does not notice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar, cast

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from services.chassis import messages
from services.chassis.clock import SystemClock
from services.chassis.error_details import read_error
from services.chassis.server import RunningServer, running_server
from tests.integration.chassis.conftest import Site, bearer
from tests.integration.chassis.echo import ACCESS, SERVICE, Echo, EchoStub

STREAMS, CALLS_PER_SECOND = 4, 20

DetailT = TypeVar("DetailT", error_details_pb2.RetryInfo, error_details_pb2.QuotaFailure)


@pytest.fixture
async def server(site: Site, service: Echo) -> AsyncIterator[RunningServer]:
    figures = {"caller_streams_at_once": STREAMS, "caller_calls_per_second": CALLS_PER_SECOND}
    async with running_server(
        name="test",
        settings=site.settings("test").model_copy(update=figures),
        register=service.register,
        service_names=[SERVICE],
        access=ACCESS,
        clock=SystemClock(),
    ) as running:
        yield running


def word(text: str) -> StringValue:
    return StringValue(value=text)


async def refusal(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


async def test_a_person_with_too_many_streams_is_told_when_to_come_back_and_another_is_served(
    public: grpc.aio.Channel, site: Site
) -> None:
    stub, ada, bob = EchoStub(public), bearer(site.token("ada")), bearer(site.token("bob"))
    watches = [stub.watch(word("a,wait"), metadata=ada) for _ in range(STREAMS)]
    assert [(await anext(aiter(watch))).value for watch in watches] == ["a"] * STREAMS
    error = await refusal(anext(aiter(stub.watch(word("a,wait"), metadata=ada))))
    assert (await anext(aiter(stub.watch(word("a,wait"), metadata=bob)))).value == "a"
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED")
    assert read_error(error).metadata == {"limit": "streams at once", "most": "4"}
    assert details(error, error_details_pb2.RetryInfo()).retry_delay.seconds == 1
    assert [each.subject for each in details(error, error_details_pb2.QuotaFailure()).violations] == ["caller"]
    for watch in watches:
        watch.cancel()


async def test_a_person_who_calls_too_fast_waits_and_is_refused_in_the_end(
    public: grpc.aio.Channel, site: Site
) -> None:
    stub, ada = EchoStub(public), bearer(site.token("ada"))
    outcomes = await asyncio.gather(
        *(stub.say(word("a"), metadata=ada) for _ in range(4 * CALLS_PER_SECOND)), return_exceptions=True
    )
    refused = [each for each in outcomes if isinstance(each, grpc.aio.AioRpcError)]
    assert {read_error(each).reason for each in refused} == {"LIMIT_REACHED"}
    assert CALLS_PER_SECOND <= len(outcomes) - len(refused) <= 3 * CALLS_PER_SECOND
    assert (await stub.say(word("b"), metadata=bearer(site.token("bob")))).value == "b"


async def test_strangers_who_are_refused_are_answered_at_the_pace_of_one_connection(public: grpc.aio.Channel) -> None:
    stub, end = EchoStub(public), asyncio.get_running_loop().time() + 2
    answered = 0

    async def ask() -> None:
        nonlocal answered
        while asyncio.get_running_loop().time() < end:
            error = await refusal(stub.say(word("a"), metadata=bearer("nonsense")))
            assert read_error(error).reason == "TOKEN_INVALID"
            answered += 1

    await asyncio.gather(*(ask() for _ in range(10)))
    assert answered <= 12 * CALLS_PER_SECOND


async def test_health_is_bounded_as_well(public: grpc.aio.Channel) -> None:
    stub = cast("Any", health_pb2_grpc.HealthStub(cast("grpc.Channel", public)))
    watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(STREAMS)]
    assert [(await anext(aiter(watch))).status for watch in watches] == [1] * STREAMS
    error = await refusal(anext(aiter(stub.Watch(health_pb2.HealthCheckRequest()))))
    assert read_error(error).reason == "LIMIT_REACHED"
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == 1
    for watch in watches:
        watch.cancel()


@pytest.mark.parametrize("kind", ["collect", "chat"])
async def test_a_stream_that_does_not_begin_ends(
    public: grpc.aio.Channel, site: Site, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(messages, "FIRST_MESSAGE_SECONDS", 0.1)
    call = getattr(EchoStub(public), kind)(metadata=bearer(site.token("ada")))
    error = await refusal(call if kind == "collect" else anext(aiter(call)))
    assert (error.code(), read_error(error).reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


def details(error: grpc.aio.AioRpcError, kind: DetailT) -> DetailT:
    status = rpc_status.from_call(cast("grpc.Call", error))
    assert status is not None
    found = [each for each in status.details if each.Is(kind.DESCRIPTOR)]
    assert len(found) == 1
    found[0].Unpack(kind)
    return kind
