"""Measurement behind `bench keys`: opening of data keys, and wrapping them anew before their epoch ends.

Opening is held against a bare gRPC server with the same certificates and the same number of bytes each way; wrapping
anew against the same rows merely rewritten by PostgreSQL. Rounds of the one and of the other alternate.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from deploy.local import daemon
from deploy.local.home import StackHome, default_home
from deploy.local.parts.postgres import postgres_server
from inference.load.turns import Compared, in_turn, uncertainty
from pellicule.internal.retention.v1 import data_key_pb2, key_service_pb2, key_service_pb2_grpc
from pellicule.type.v1 import purpose_pb2
from services.chassis.certificates.renewal import Certificates
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.settings import TlsSettings
from services.cli.bench.echo_server import METHOD, ask
from services.cli.bench.ratio_row import ratio_row
from services.cli.output import CommandFailed
from services.cli.stack.failures import stack_failures

OPEN_GOAL = 0.05
REWRAP_GOAL = 0.4
KEYS_OF_A_CALL = 100
"""What a page of photos needs."""
CALLS_OF_A_ROUND = 200
CONCURRENCY = 8
FEWEST_ROUNDS, MOST_ROUNDS = 6, 24
REWRAPS_A_DAY = 0.25
"""Of an artefact: retention wraps its key anew when the epoch is four days old."""
_CLOUD = purpose_pb2.PURPOSE_CLOUD_PROCESSING
_SERVICE = "retention"


async def measure() -> AsyncIterator[Mapping[str, object]]:
    """Yield two lines: keys opened a second, and keys wrapped anew a second with the cost a day per million artefacts.

    Needs a running stack for the first; takes two to three minutes.
    """
    with stack_failures():
        home = default_home()
        daemon.running_state(home)
    yield ratio_row("keys.open", "keys/s", await _opening(home), goal=OPEN_GOAL, keys_of_a_call=KEYS_OF_A_CALL)
    with stack_failures():
        rewraps = await _rewraps()
    cost = REWRAPS_A_DAY * 1_000_000 / rewraps.value
    yield ratio_row(
        "keys.rewrap", "keys/s", rewraps, goal=REWRAP_GOAL, seconds_a_day_per_million_artefacts=round(cost, 1)
    )


@dataclass(frozen=True)
class _Keys:
    """The key service as ingest calls it, and a person's keys there."""

    stub: key_service_pb2_grpc.KeyServiceStub
    request: key_service_pb2.OpenDataKeysRequest

    async def open(self) -> None:
        await self.stub.OpenDataKeys(self.request)


async def _opening(home: StackHome) -> Compared:
    """Return keys opened a second, held against calls of a bare server that carry as many bytes."""
    async with _person(home) as keys, _echo_server(home) as echo:
        answer = await keys.stub.OpenDataKeys(keys.request)
        if len(answer.keys) != KEYS_OF_A_CALL:
            raise CommandFailed("KEYS_MISSING", f"{len(answer.keys)} of {KEYS_OF_A_CALL} keys were opened")
        asked = ask(keys.request.ByteSize(), answer.ByteSize())

        async def opened() -> float:
            return await _rate(keys.open)

        async def echoed() -> float:
            return await _rate(lambda: echo(asked))

        await opened()  # the first of each makes connections and memory ready
        await echoed()
        return await in_turn(opened, echoed, fewest=FEWEST_ROUNDS, most=MOST_ROUNDS)


async def _rate(call: Callable[[], Awaitable[object]]) -> float:
    """Return keys a second of a round of calls, some at a time."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one() -> None:
        async with slots:
            await call()

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLS_OF_A_ROUND):
            group.create_task(one())
    return CALLS_OF_A_ROUND * KEYS_OF_A_CALL / (time.perf_counter() - began)


@asynccontextmanager
async def _person(home: StackHome) -> AsyncIterator[_Keys]:
    """Give a person who is none keys, as consent and ingest do; the purpose is withdrawn at the end."""
    subject, address = secrets.token_hex(16), _internal_address(home)
    async with _channel(home, "consent", address) as consent, _channel(home, "ingest", address) as ingest:
        purposes, keys = (key_service_pb2_grpc.KeyServiceStub(channel) for channel in (consent, ingest))
        await purposes.GrantPurposeKey(_grant(subject))
        try:
            created = await keys.CreateDataKeys(_creation(subject))
            ids = [key.id for key in created.keys]
            yield _Keys(keys, key_service_pb2.OpenDataKeysRequest(subject=subject, purpose=_CLOUD, ids=ids))
        finally:
            await purposes.DestroyPurposeKeys(
                key_service_pb2.DestroyPurposeKeysRequest(subject=subject, purposes=[_CLOUD], revision=2)
            )


@asynccontextmanager
async def _echo_server(home: StackHome) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    """Give the call of a bare server in a process of its own."""
    files = (home.authority, *home.certificate(_SERVICE))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli.bench.echo_server", *map(str, files), stdout=asyncio.subprocess.PIPE
    )
    try:
        port = await process.stdout.readline() if process.stdout else b""
        async with _channel(home, "ingest", f"127.0.0.1:{port.decode().strip()}") as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(METHOD)
            yield call
    finally:
        process.terminate()
        await process.wait()


def _channel(home: StackHome, caller: str, address: str) -> grpc.aio.Channel:
    certificate, key = home.certificate(caller)
    settings = TlsSettings(tls_ca_file=home.authority, tls_cert_file=certificate, tls_key_file=key)
    return open_channel(address, Certificates(settings, SystemClock()), service=_SERVICE)


def _internal_address(home: StackHome) -> str:
    return f"127.0.0.1:{json.loads(home.ports.read_text())[f'{_SERVICE}-internal']}"


def _grant(subject: str) -> key_service_pb2.GrantPurposeKeyRequest:
    return key_service_pb2.GrantPurposeKeyRequest(
        subject=subject, purpose=_CLOUD, revision=1, expire_time=_in(timedelta(hours=1)), decide_time=_in(timedelta())
    )


def _creation(subject: str) -> key_service_pb2.CreateDataKeysRequest:
    spec = data_key_pb2.DataKeySpec(delete_time=_in(timedelta(hours=1)))
    return key_service_pb2.CreateDataKeysRequest(subject=subject, purpose=_CLOUD, keys=[spec] * KEYS_OF_A_CALL)


def _in(time: timedelta) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) + time)
    return stamp


async def _rewraps() -> Compared:
    """Return keys wrapped anew a second, by retention's own code in a database of its own."""
    with TemporaryDirectory(prefix="pellicule-bench-") as folder:
        async with postgres_server(Path(folder), (_SERVICE,)) as server:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "services.retention.bench", server.url(_SERVICE), folder,
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            said, _ = await process.communicate()
    if process.returncode:
        raise CommandFailed("BENCH_FAILED", "retention could not measure; what it said stands above")
    rounds = json.loads(said)
    return compared(rounds["rewraps"], rounds["updates"])


def compared(values: Sequence[float], limits: Sequence[float]) -> Compared:
    """Hold rates against those before and after them; there is one more of the limit."""
    ratios = [value / mean(around) for value, around in zip(values, pairwise(limits), strict=True)]
    return Compared(median(values), median(limits), median(ratios), uncertainty(ratios), len(ratios))
