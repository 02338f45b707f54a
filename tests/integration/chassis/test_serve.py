import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.chassis.error_details import read_error
from tests.integration.chassis.conftest import Site, bearer
from tests.integration.chassis.echo import EchoStub

REPOSITORY = Path(__file__).parents[3]


@dataclass(frozen=True)
class Started:
    process: asyncio.subprocess.Process
    channel: grpc.aio.Channel
    ready_file: Path

    async def watch_health(self) -> AsyncIterator[str]:
        stub: Any = health_pb2_grpc.HealthStub(cast("grpc.Channel", self.channel))
        call = stub.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True)
        async for answer in call:
            yield health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    async def ended(self) -> tuple[int, list[dict[str, Any]], str]:
        """Return the exit status, the log lines and whatever else was on stderr."""
        _, errors = await asyncio.wait_for(self.process.communicate(), 20)
        lines = errors.decode().splitlines()
        log = [json.loads(line) for line in lines if line.startswith("{")]
        rest = "\n".join(line for line in lines if not line.startswith("{"))
        return self.process.returncode or 0, log, rest


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return int(reserved.getsockname()[1])


@asynccontextmanager
async def started(site: Site, folder: Path, mode: str) -> AsyncIterator[Started]:
    settings, port = site.settings("test"), free_port()
    environment = {
        "PELLICULE_PUBLIC_ADDRESS": f"127.0.0.1:{port}",
        "PELLICULE_INTERNAL_ADDRESS": "127.0.0.1:0",
        "PELLICULE_TLS_CA_FILE": str(settings.tls_ca_file),
        "PELLICULE_TLS_CERT_FILE": str(settings.tls_cert_file),
        "PELLICULE_TLS_KEY_FILE": str(settings.tls_key_file),
        "PELLICULE_TOKEN_JWKS_FILE": str(settings.token_jwks_file),
        "PELLICULE_SUBJECT_KEY_FILE": str(settings.subject_key_file),
        "PELLICULE_STOP_GRACE_SECONDS": "5",
    }
    ready_file = folder / "ready"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.chassis.process",
        mode,
        str(ready_file),
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    credentials = grpc.ssl_channel_credentials(settings.tls_ca_file.read_bytes())
    options = (("grpc.max_reconnect_backoff_ms", 100),)
    try:
        async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
            yield Started(process, channel, ready_file)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("mode", ["idle", "brief"])
async def test_a_service_serves_when_it_is_ready_and_stops_when_told(site: Site, tmp_path: Path, mode: str) -> None:
    async with started(site, tmp_path, mode) as service:
        health = service.watch_health()
        before = await anext(health)
        service.ready_file.touch()
        after = await anext(health)
        service.process.send_signal(signal.SIGTERM)
        stopping = await anext(health)
        status, log, rest = await service.ended()
    assert (before, after, stopping) == ("NOT_SERVING", "SERVING", "NOT_SERVING")
    assert (status, rest) == (0, "")
    assert [line["event"] for line in log if line["event"] != "rpc"] == ["server_started", "server_stopped"]


async def test_a_call_in_flight_is_finished_before_the_process_ends(site: Site, tmp_path: Path) -> None:
    async with started(site, tmp_path, "idle") as service:
        health = service.watch_health()
        assert await anext(health) == "NOT_SERVING"
        request = StringValue(value="a,wait")
        call = aiter(EchoStub(service.channel).watch(request, timeout=2.0, metadata=bearer(site.token())))
        assert (await anext(call)).value == "a"
        service.process.send_signal(signal.SIGINT)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(call)
        status, log, _ = await service.ended()
    assert read_error(caught.value).reason == "DEADLINE_EXCEEDED"
    assert status == 0
    assert ("DEADLINE_EXCEEDED", "person") in {(line.get("code"), line.get("caller")) for line in log}


async def test_a_task_that_fails_is_told_and_begins_again_and_the_process_serves_on(site: Site, tmp_path: Path) -> None:
    async with started(site, tmp_path, "failing") as service:
        health = service.watch_health()
        while await anext(health) != "SERVING":
            pass
        service.process.send_signal(signal.SIGTERM)
        status, log, rest = await service.ended()
    failure = next(line for line in log if line["event"] == "loop_failed")
    assert (failure["loop"], failure["error"], failure["level"]) == ("_failing", "RuntimeError", "error")
    assert status == 0
    assert "secret" not in rest + json.dumps(log)
