"""The client under TLS: it knows the server, shows who it is, and sends nothing in clear to another machine."""

from pathlib import Path

import grpc
import pytest

from inference.client.client import InferenceClient
from inference.client.errors import ModelUnavailable
from inference.client.retries import CallPolicy
from inference.client.tls import SentInClear, TlsFiles
from tests.fakes.certificates import CertificateFiles, FakeAuthority
from tests.fakes.fault_server import FaultServer, doubler, fault_server
from tests.integration.client.calls import SkippingClock, infer_once
from tests.integration.eventually import eventually

POLICY = CallPolicy(queue=30.0, response=30.0)
BRIEF = CallPolicy(queue=1.0, response=1.0)


@pytest.fixture
def authority(tmp_path: Path) -> FakeAuthority:
    return FakeAuthority(tmp_path)


def known(files: CertificateFiles) -> TlsFiles:
    return TlsFiles(files.ca, files.certificate, files.key)


async def test_a_server_of_the_authority_is_asked_under_tls(authority: FakeAuthority) -> None:
    tls = known(authority.issue("analysis"))
    async with (
        fault_server(doubler(), tls=authority.issue("triton")) as server,
        InferenceClient(server.address, SkippingClock(), policy=POLICY, tls=tls) as client,
    ):
        assert await infer_once(client, 21) == 42


async def test_a_server_of_another_authority_is_told_nothing(
    authority: FakeAuthority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = FakeAuthority(tmp_path_factory.mktemp("stranger"))
    tls = known(authority.issue("analysis"))
    async with (
        fault_server(doubler(), tls=stranger.issue("triton")) as server,
        InferenceClient(server.address, SkippingClock(), policy=BRIEF, tls=tls) as client,
    ):
        with pytest.raises(ModelUnavailable):
            await infer_once(client)
        assert server.models["doubler"].asked == 0


async def test_a_server_that_asks_who_calls_turns_away_who_does_not_say(authority: FakeAuthority) -> None:
    files = authority.issue("triton")
    async with (
        fault_server(doubler(), tls=files) as server,
        InferenceClient(server.address, SkippingClock(), policy=BRIEF, tls=TlsFiles(files.ca)) as client,
    ):
        with pytest.raises(ModelUnavailable):
            await infer_once(client)
        assert server.models["doubler"].asked == 0


class RenewableTls:
    """Certificates that a test renews."""

    def __init__(self, files: CertificateFiles) -> None:
        self.renew(files)

    def renew(self, files: CertificateFiles) -> None:
        self._files = known(files)

    def credentials(self) -> grpc.ChannelCredentials:
        return self._files.credentials()


async def test_calls_go_on_under_renewed_certificates_once_the_server_takes_them(
    authority: FakeAuthority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    stranger = FakeAuthority(tmp_path_factory.mktemp("stranger"))
    strangers = stranger.issue("analysis")
    strangers.ca.write_bytes(authority.pem)
    tls = RenewableTls(authority.issue("analysis"))
    async with (
        fault_server(doubler(), tls=authority.issue("triton")) as server,
        InferenceClient(server.address, SkippingClock(), policy=POLICY, tls=tls) as client,
    ):
        before = await shown(client, server)
        tls.renew(strangers)
        for _ in range(20):
            assert await infer_once(client, 21) == 42, "calls stay where they are taken"
        tls.renew(authority.issue("analysis"))
        await eventually(lambda: shown(client, server), lambda after: after != before)


async def shown(client: InferenceClient, server: FaultServer) -> str:
    """Return the certificate under which a call reaches the server."""
    await infer_once(client, 21)
    return server.shown


@pytest.mark.parametrize("address", ["triton.example:8001", "10.0.0.7:8001", "[2001:db8::1]:8001"])
async def test_another_machine_is_never_spoken_to_in_clear(address: str) -> None:
    with pytest.raises(SentInClear, match="is not on loopback"):
        InferenceClient(address, SkippingClock())
