from typing import Any, cast

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis.clock import SystemClock
from services.chassis.error_details import read_error
from services.chassis.health import LIVENESS, Health
from services.chassis.roles import Role
from services.chassis.server import InternalServices, running_server
from services.chassis.settings import ServiceSettings
from tests.integration.chassis import echo
from tests.integration.chassis.conftest import Site, bearer
from tests.integration.chassis.echo import EchoStub

NOWHERE = "127.0.0.1:0"


def settings(site: Site, **changes: object) -> ServiceSettings:
    return site.settings("test").model_copy(update=changes)


def running(settings: ServiceSettings, health: Health | None = None) -> Any:
    service = echo.Echo()
    return running_server(
        name="test",
        settings=settings,
        register=service.register,
        service_names=[echo.SERVICE],
        access=echo.ACCESS,
        clock=SystemClock(),
        health=health,
        internal=InternalServices(service.register_internal, [echo.INTERNAL_SERVICE]),
    )


async def status(channel: grpc.aio.Channel, service: str = "") -> str:
    stub: Any = health_pb2_grpc.HealthStub(cast("grpc.Channel", channel))
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=service))
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


@pytest.mark.parametrize(
    ("roles", "open_"),
    [
        ({Role.PUBLIC, Role.INTERNAL}, (True, True)),
        ({Role.PUBLIC}, (True, False)),
        ({Role.INTERNAL, Role.UPKEEP}, (False, True)),
        ({Role.WORKER}, (False, False)),
    ],
)
async def test_a_process_opens_the_listeners_of_its_roles(
    site: Site, roles: set[Role], open_: tuple[bool, bool]
) -> None:
    async with running(settings(site, roles=frozenset(roles), health_address=NOWHERE)) as server:
        assert (server.public_port > 0, server.internal_port > 0, server.health_port > 0) == (*open_, True)


async def test_without_an_address_for_probes_there_is_no_listener_for_them(site: Site) -> None:
    async with running(settings(site)) as server:
        assert server.health_port == 0


async def test_probes_are_answered_in_clear_about_health_alone(site: Site) -> None:
    async with (
        running(settings(site, roles=frozenset({Role.WORKER}), health_address=NOWHERE)) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.health_port}") as channel,
    ):
        assert await status(channel) == "SERVING"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await EchoStub(channel).say(StringValue(value="a"), timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_process_that_waits_for_its_database_lives(site: Site) -> None:
    async def never() -> bool:
        return False

    health = Health([echo.SERVICE], never, SystemClock())
    async with (
        running(settings(site, health_address=NOWHERE), health) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.health_port}") as channel,
    ):
        assert (await status(channel), await status(channel, LIVENESS)) == ("NOT_SERVING", "SERVING")


async def test_behind_what_ends_tls_persons_call_in_clear_and_none_is_taken_for_a_service(site: Site) -> None:
    async with (
        running(settings(site, public_tls=False)) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.public_port}") as channel,
    ):
        stub = EchoStub(channel)
        answer = await stub.say(StringValue(value="a"), timeout=5, metadata=bearer(site.token()))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.say(StringValue(value="a"), timeout=5, metadata=(("pellicule-subject", "a" * 32),))
        assert (answer.value, await status(channel)) == ("a", "SERVING")
    assert read_error(refused.value).reason == "TOKEN_MISSING"
