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
