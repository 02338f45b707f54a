"""An outage is waited for, within bounds; what does not pass is said at once."""

from types import SimpleNamespace
from typing import Any, cast

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from services.cli import outages
from services.cli.client import Services
from services.cli.exit_status import ExitStatus
from services.cli.outages import through
from services.cli.output import from_rpc


def failure(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "m")


class Call:
    """Fails as it is told, then answers."""

    def __init__(self, *failures: grpc.aio.AioRpcError) -> None:
        self._failures = list(failures)
        self.count = 0

    async def __call__(self) -> str:
        self.count += 1
        if self._failures:
            raise self._failures.pop(0)
        return "answer"


def services(*, stack_runs: bool) -> Services:
    return cast("Services", cast("Any", SimpleNamespace(stack_runs=lambda: stack_runs)))


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_LONGEST_PAUSE_SECONDS", 0.0)


@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.CANCELLED,
    ],
)
async def test_a_call_is_made_again_until_what_was_away_is_back(code: grpc.StatusCode) -> None:
    call = Call(failure(code), failure(code))
    assert await through(services(stack_runs=True), call) == "answer"
    assert call.count == 3


async def test_a_stack_that_is_gone_is_given_up_at_once() -> None:
    call = Call(*[failure(grpc.StatusCode.UNAVAILABLE)] * 5)
    with pytest.raises(grpc.aio.AioRpcError):
        await through(services(stack_runs=False), call)
    assert call.count == 1


async def test_an_outage_that_lasts_is_given_up_in_the_end() -> None:
    call = Call(*[failure(grpc.StatusCode.UNAVAILABLE)] * 5)
    with pytest.raises(grpc.aio.AioRpcError):
        await through(services(stack_runs=True), call, patience=0.0)
    assert call.count == 1


async def test_what_a_service_refuses_is_raised_at_once() -> None:
    call = Call(failure(grpc.StatusCode.PERMISSION_DENIED))
    with pytest.raises(grpc.aio.AioRpcError):
        await through(services(stack_runs=True), call)
    assert call.count == 1


async def test_a_full_disk_is_said_at_once() -> None:
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason="STORAGE_FULL"))
    status = status_pb2.Status(code=14, message="m", details=[detail]).SerializeToString()
    trailers = grpc.aio.Metadata(("grpc-status-details-bin", status))
    call = Call(grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailers, "m"))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await through(services(stack_runs=True), call)
    assert (call.count, from_rpc(raised.value).status) == (1, ExitStatus.OUTAGE)
