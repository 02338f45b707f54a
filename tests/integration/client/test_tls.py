"""The client under TLS: it knows the server, shows who it is, and sends nothing in clear to another machine."""

from pathlib import Path

import pytest

from inference.client.client import InferenceClient
from inference.client.errors import ModelUnavailable
from inference.client.retries import CallPolicy
from inference.client.tls import SentInClear, Tls
from tests.fakes.certificates import CertificateFiles, FakeAuthority
from tests.fakes.fault_server import doubler, fault_server
from tests.integration.client.calls import SkippingClock, infer_once

POLICY = CallPolicy(queue=30.0, response=30.0)
BRIEF = CallPolicy(queue=1.0, response=1.0)


@pytest.fixture
def authority(tmp_path: Path) -> FakeAuthority:
    return FakeAuthority(tmp_path)


def known(files: CertificateFiles) -> Tls:
    return Tls(files.ca, files.certificate, files.key)


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
        InferenceClient(server.address, SkippingClock(), policy=BRIEF, tls=Tls(files.ca)) as client,
    ):
        with pytest.raises(ModelUnavailable):
            await infer_once(client)
        assert server.models["doubler"].asked == 0


@pytest.mark.parametrize("address", ["triton.example:8001", "10.0.0.7:8001", "[2001:db8::1]:8001"])
async def test_another_machine_is_never_spoken_to_in_clear(address: str) -> None:
    with pytest.raises(SentInClear, match="is not on loopback"):
        InferenceClient(address, SkippingClock())
