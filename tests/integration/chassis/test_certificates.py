"""Certificates and authorities are renewed while calls go on, and none of these fails."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from services.chassis.certificates.channel import LINGER_SECONDS
from services.chassis.certificates.renewal import Certificates
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.server import RunningServer, running_server
from tests.fakes.certificates import CertificateFiles, FakeAuthority, MountedCertificates
from tests.integration.chassis import echo
from tests.integration.chassis.conftest import Site, internal_channel
from tests.integration.chassis.echo import EchoStub
from tests.integration.eventually import eventually


class SkippingClock(SystemClock):
    """The machine's clock; a sleeper may be let go."""

    def __init__(self) -> None:
        self.skipped = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds != LINGER_SECONDS:
            await super().sleep(seconds)
            return
        await self.skipped.wait()


@dataclass
class Side:
    """One of two services: its files, and what it made of them."""

    mounted: MountedCertificates
    certificates: Certificates

    async def take(self, files: CertificateFiles, *authorities: FakeAuthority) -> None:
        self.mounted.swap(files, *authorities)
        await self.certificates.look()
        assert self.certificates.own.current.pem == files.certificate.read_bytes()


@dataclass
class Pair:
    """A server, a client with a channel to it, and an old and a new authority."""

    server: Side
    client: Side
    old: FakeAuthority
    new: FakeAuthority
    clock: SkippingClock
    service: echo.Echo
    port: int = 0
    answers: int = 0
    stub: EchoStub = field(init=False)

    async def shown_by_client(self) -> str:
        """Return the certificate that the server sees."""
        answer: StringValue = await self.stub.say(StringValue(value="certificate"))
        return answer.value

    async def shown_by_server(self) -> str:
        """Return the certificate that a new connection sees."""
        return await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", self.port))

    async def call_on(self) -> None:
        """Make calls of every kind without a pause."""
        while True:
            answer = await self.stub.say(StringValue(value="a"))
            assert answer.value == "a"
            assert [each.value async for each in self.stub.watch(StringValue(value="a,b"))] == ["a", "b"]
            words = [StringValue(value=word) for word in ("a", "b")]
            assert [each.value async for each in self.stub.chat(iter(words), timeout=20)] == ["a", "b"]
            self.answers += 1

    async def some_answers(self) -> None:
        enough = self.answers + 20

        async def answers() -> int:
            return self.answers

        await eventually(answers, lambda count: count >= enough)


@pytest.fixture
async def pair(site: Site, tmp_path: Path) -> AsyncIterator[Pair]:
    old, new = (FakeAuthority(_made(tmp_path / name)) for name in ("old", "new"))
    clock = SkippingClock()
    sides = [_side(tmp_path / name, old.issue(name), clock) for name in ("test", "analysis")]
    pair = Pair(sides[0], sides[1], old, new, clock, echo.Echo())
    async with (
        _serving(pair, site) as server,
        open_channel(f"127.0.0.1:{server.internal_port}", pair.client.certificates, service="test") as channel,
    ):
        pair.port, pair.stub = server.internal_port, EchoStub(channel)
        yield pair


@asynccontextmanager
async def calling(pair: Pair) -> AsyncIterator[None]:
    """Make calls for the time of the block, of which none may fail."""
    callers = [asyncio.create_task(pair.call_on()) for _ in range(4)]
    try:
        await pair.some_answers()
        yield
        await pair.some_answers()
    finally:
        for caller in callers:
            caller.cancel()
        ends = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(end) for end in ends] == [asyncio.CancelledError] * len(callers), ends


async def test_both_sides_renew_their_certificates_while_calls_go_on(pair: Pair) -> None:
    async with calling(pair):
        for _ in range(2):
            ours, theirs = pair.old.issue("analysis"), pair.old.issue("test")
            await pair.client.take(ours, pair.old)
            await pair.server.take(theirs, pair.old)
            await eventually(pair.shown_by_client, partial(_is, ours))
            await eventually(pair.shown_by_server, partial(_is, theirs))


async def test_one_authority_takes_the_place_of_another_while_calls_go_on(pair: Pair) -> None:
    ours, theirs = pair.new.issue("analysis"), pair.new.issue("test")
    async with calling(pair):
        for side in (pair.server, pair.client):
            side.mounted.write({"ca.crt": pair.old.pem + pair.new.pem})
            await side.certificates.look()
        await pair.client.take(ours, pair.old, pair.new)
        await pair.server.take(theirs, pair.old, pair.new)
        await eventually(pair.shown_by_client, partial(_is, ours))
        for side, files in ((pair.server, theirs), (pair.client, ours)):
            await side.take(files, pair.new)
        await eventually(pair.shown_by_server, partial(_is, theirs))
    assert await _refused(pair, pair.old.issue("ingest"), pair.new), "what is of the old authority is let in no more"
    assert not await _refused(pair, pair.new.issue("ingest"), pair.new)


async def test_calls_stay_under_the_old_certificate_until_the_other_side_takes_the_new_one(pair: Pair) -> None:
    before = await pair.shown_by_client()
    ours = pair.new.issue("analysis")
    async with calling(pair):
        await pair.client.take(ours, pair.old, pair.new)
        await pair.some_answers()
        assert await pair.shown_by_client() == before
        pair.server.mounted.write({"ca.crt": pair.old.pem + pair.new.pem})
        await pair.server.certificates.look()
        await eventually(pair.shown_by_client, partial(_is, ours))


async def test_a_wrong_file_changes_nothing(pair: Pair) -> None:
    before = await pair.shown_by_client(), await pair.shown_by_server()
    async with calling(pair):
        for side in (pair.server, pair.client):
            whole = side.certificates.own.current.pem
            side.mounted.write({"tls.crt": whole[: len(whole) // 2]})
            await side.certificates.look()
            await pair.some_answers()
    assert (await pair.shown_by_client(), await pair.shown_by_server()) == before


async def test_a_call_that_runs_ends_as_if_nothing_were(pair: Pair) -> None:
    running = asyncio.ensure_future(pair.stub.say(StringValue(value="until released"), timeout=60))
    await pair.service.waiting.wait()
    ours = pair.old.issue("analysis")
    await pair.client.take(ours, pair.old)
    await eventually(pair.shown_by_client, partial(_is, ours))
    pair.clock.skipped.set()
    pair.service.released.set()
    assert (await running).value == "until released"


@pytest.mark.parametrize("kind", ["watch", "chat"])
async def test_a_stream_without_an_end_is_begun_anew_by_who_reads_it(pair: Pair, kind: str) -> None:
    reading, after = await _begun(pair, kind), pair.old.issue("analysis")
    await pair.client.take(after, pair.old)
    await eventually(pair.shown_by_client, partial(_is, after))
    assert not reading.done(), "it has a while"
    pair.clock.skipped.set()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await asyncio.wait_for(reading, 20)
    assert ended.value.code() == grpc.StatusCode.UNAVAILABLE
    (await _begun(pair, kind)).cancel()


async def test_a_channel_that_is_closed_takes_its_old_connections_along(pair: Pair, tmp_path: Path) -> None:
    certificates = pair.client.certificates
    channel = open_channel(f"127.0.0.1:{pair.port}", certificates, service="test")
    reading = asyncio.ensure_future(anext(aiter(EchoStub(channel).watch(StringValue(value="wait")))))
    await pair.service.waiting.wait()
    await pair.client.take(pair.old.issue("analysis"), pair.old)
    await channel.channel_ready()
    await channel.close()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def _begun(pair: Pair, kind: str) -> asyncio.Future[StringValue]:
    """Return what waits for the second word of a stream, of which the first has come."""
    if kind == "watch":
        stream = aiter(pair.stub.watch(StringValue(value="a,until released")))
    else:
        stream = aiter(pair.stub.chat(iter([StringValue(value="a"), StringValue(value="until released")])))
    assert (await anext(stream)).value == "a"
    return asyncio.ensure_future(anext(stream))


async def _refused(pair: Pair, files: CertificateFiles, trusted: FakeAuthority) -> bool:
    """Tell whether the server lets no new connection in under a certificate."""
    files.ca.write_bytes(trusted.pem)
    async with internal_channel(pair.port, files) as channel:
        code = await EchoStub(channel).say(StringValue(value="a"), timeout=5).code()
    assert code in {grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE}
    return code is grpc.StatusCode.UNAVAILABLE


def _is(files: CertificateFiles, shown: str) -> bool:
    return shown.strip() == files.certificate.read_text().strip()


def _side(folder: Path, files: CertificateFiles, clock: SystemClock) -> Side:
    mounted = MountedCertificates(folder)
    mounted.swap(files)
    return Side(mounted, Certificates(mounted.settings, clock))


@asynccontextmanager
async def _serving(pair: Pair, site: Site) -> AsyncIterator[RunningServer]:
    async with running_server(
        name="test",
        settings=site.settings("test"),
        register=pair.service.register,
        service_names=[echo.SERVICE],
        access=echo.ACCESS,
        clock=SystemClock(),
        certificates=pair.server.certificates,
    ) as server:
        yield server


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
