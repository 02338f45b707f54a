from typing import Any, cast

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from tests.integration.chassis.conftest import Site, bearer
from tests.integration.chassis.echo import SERVICE, EchoStub


@pytest.mark.usefixtures("server")
async def test_a_good_answer_to_what_the_clock_asks_is_no_news(public: grpc.aio.Channel, site: Site) -> None:
    health: Any = health_pb2_grpc.HealthStub(cast("grpc.Channel", public))
    with capture_logs() as lines:
        await health.Check(health_pb2.HealthCheckRequest())
        await EchoStub(public).say(StringValue(value="a"), metadata=bearer(site.token()))
    levels = {line["method"]: line["log_level"] for line in lines if line["event"] == "rpc"}
    assert levels == {"/grpc.health.v1.Health/Check": "debug", f"/{SERVICE}/Say": "info"}


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("fault", ["bug", "unread"])
async def test_the_cause_of_every_fault_is_in_the_log(public: grpc.aio.Channel, site: Site, fault: str) -> None:
    with capture_logs() as lines, pytest.raises(grpc.aio.AioRpcError):
        await EchoStub(public).say(StringValue(value=fault), metadata=bearer(site.token()))
    [failed] = [line for line in lines if line["event"] == "rpc_failed"]
    assert (failed["reason"], failed["log_level"]) == ("INTERNAL", "error")
