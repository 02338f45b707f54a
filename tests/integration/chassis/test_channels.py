import asyncio
import socket
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from services.chassis import limits
from services.chassis.calls import Call, enter_call
from services.chassis.channels import DEFAULT_DEADLINE, acting_for, open_channel
from services.chassis.clock import SystemClock
from services.chassis.server import RunningServer, running_server
from tests.fakes.certificates import certificates_of
from tests.fakes.network import faulty_network
from tests.fakes.ports import free_port
from tests.integration.chassis import echo
from tests.integration.chassis.conftest import Site, Start, internal_channel
from tests.integration.chassis.echo import EchoStub


@pytest.fixture
async def stub(server: RunningServer, site: Site) -> AsyncIterator[EchoStub]:
    target = f"127.0.0.1:{server.internal_port}"
    async with open_channel(target, certificates_of(site.settings("analysis")), service="test") as channel:
        yield EchoStub(channel)


async def say(
    stub: EchoStub, word: str, *, timeout: float | None = None, metadata: grpc.aio.Metadata | None = None
) -> str:
    answer: StringValue = await stub.say(StringValue(value=word), timeout=timeout, metadata=metadata)
    return answer.value


def inside_a_call(seconds: float | None) -> None:
    now = asyncio.get_running_loop().time()
    enter_call(Call("/s/M", "request-1", expires_at=None if seconds is None else now + seconds))


async def test_a_service_calls_another_with_its_own_certificate(stub: EchoStub) -> None:
    assert await say(stub, "who") == "Service(name='analysis', acting_for=None)"


async def test_a_service_calls_for_a_person(stub: EchoStub) -> None:
    assert await say(stub, "subject", metadata=acting_for("c" * 32)) == "c" * 32


async def test_the_request_id_goes_along(stub: EchoStub) -> None:
    inside_a_call(None)
    assert await say(stub, "request") == "request-1"


async def test_a_call_gets_what_is_left_of_the_deadline_around_it(stub: EchoStub) -> None:
    inside_a_call(3.0)
    assert 2.0 < float(await say(stub, "left")) < 2.95


async def test_a_call_without_a_deadline_around_it_gets_the_default(stub: EchoStub) -> None:
    assert DEFAULT_DEADLINE - 1 < float(await say(stub, "left")) < DEFAULT_DEADLINE


async def test_a_call_with_its_own_timeout_keeps_it(stub: EchoStub) -> None:
    inside_a_call(3.0)
    assert 20.0 < float(await say(stub, "left", timeout=30.0)) < 30.0


async def test_a_stream_outside_a_call_has_no_deadline(stub: EchoStub) -> None:
    assert [answer.value async for answer in stub.watch(StringValue(value="left"))] == ["None"]


async def test_a_call_inside_one_whose_time_is_up_does_not_hang(stub: EchoStub) -> None:
    inside_a_call(-1.0)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await say(stub, "wait")
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_call_waits_for_a_service_that_is_just_starting(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    settings = site.settings("test").model_copy(update={"internal_address": f"127.0.0.1:{port}"})
    async with open_channel(f"127.0.0.1:{port}", certificates_of(site.settings("analysis")), service="test") as channel:
        calling = asyncio.create_task(say(EchoStub(channel), "hello"))
        await channel.wait_for_state_change(channel.get_state())
        async with running_server(
            name="test",
            settings=settings,
            register=echo.Echo().register,
            service_names=[echo.SERVICE],
            access=echo.ACCESS,
            clock=SystemClock(),
        ):
            assert await calling == "hello"


async def test_a_slow_handshake_is_waited_for(server: RunningServer, site: Site) -> None:
    async with faulty_network(server.internal_port) as network:
        network.hold()
        target = f"127.0.0.1:{network.port}"
        async with open_channel(target, certificates_of(site.settings("analysis")), service="test") as channel:
            calling = asyncio.create_task(say(EchoStub(channel), "hello"))
            await asyncio.sleep(1)
            tried = network.connections
            network.release()
            assert await calling == "hello"
    assert tried == 1


async def test_a_service_that_is_another_one_is_not_trusted(server: RunningServer, site: Site) -> None:
    target = f"127.0.0.1:{server.internal_port}"
    async with open_channel(target, certificates_of(site.settings("analysis")), service="retention") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await say(EchoStub(channel), "hello", timeout=2)
    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


async def test_calls_take_turns_at_all_servers_of_a_name(start: Start, site: Site) -> None:
    services = [echo.Echo(), echo.Echo()]
    async with start(services[0]) as one, start(services[1]) as other:
        target = f"ipv4:127.0.0.1:{one.internal_port},127.0.0.1:{other.internal_port}"
        async with open_channel(target, certificates_of(site.settings("analysis")), service="test") as channel:
            calls = [asyncio.create_task(say(EchoStub(channel), "until released")) for _ in range(2)]
            while not all(service.waiting.is_set() for service in services):
                calls.append(asyncio.create_task(say(EchoStub(channel), "until released", timeout=5)))
                done, _ = await asyncio.wait(calls, timeout=0.02)
                assert not done, "calls ended before both servers had one"
            for service in services:
                service.released.set()
            await asyncio.gather(*calls)


async def test_a_call_goes_to_another_server_of_the_name_when_one_is_away(server: RunningServer, site: Site) -> None:
    target = f"ipv4:127.0.0.1:{free_port()},127.0.0.1:{server.internal_port}"
    async with open_channel(target, certificates_of(site.settings("analysis")), service="test") as channel:
        assert [await say(EchoStub(channel), "hello") for _ in range(4)] == ["hello"] * 4


async def test_an_old_connection_makes_room_for_a_new_one_and_what_is_in_work_on_it_goes_on(
    start: Start, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CONNECTION_AGE_SECONDS", 1)
    service = echo.Echo()
    async with (
        start(service) as server,
        internal_channel(server.internal_port, site.authority.issue("analysis")) as old,
    ):
        begun = asyncio.create_task(say(EchoStub(old), "until released"))
        await service.waiting.wait()
        while (state := old.get_state()) is grpc.ChannelConnectivity.READY:
            await old.wait_for_state_change(state)

        assert not begun.done()
        assert await say(EchoStub(old), "hello") == "hello"
        service.released.set()
        assert await begun == "until released"
