"""Keys of epochs in the transit engine of a real OpenBao, through their whole life."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import hvac.exceptions
import pytest
import pytest_asyncio

from services.chassis.certificates.trust import ServerNotTrusted
from services.retention.domain.places import TransitEngine, TransitLogin
from services.retention.epochs.transit_epochs import KEPT_SECONDS, TransitEpochs
from services.retention.epochs.transit_server import TransitServer
from services.retention.epochs.transit_tokens import AccountLogin, TokenFile
from services.retention.errors import EpochGone, KeysUnavailable
from services.retention.ports import EpochKeys
from tests.contract.retention.epoch_keys_suite import (
    FIRST,
    SECOND,
    SECRET,
    EpochKeysSuite,
    asked,
    begun,
    is_there,
    unwrapped,
    wrapped,
)
from tests.fakes.certificates import FakeAuthority
from tests.fakes.clock import FakeClock
from tests.integration.retention.accounts import account_of
from tests.integration.retention.openbao import OpenBao, openbao


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBao]:
    files = FakeAuthority(tmp_path_factory.mktemp("authority")).issue("openbao")
    async with openbao(tmp_path_factory.mktemp("openbao"), files) as server:
        yield server


@pytest.fixture
def token_file(bao: OpenBao, tmp_path: Path) -> Path:
    for name in bao.names():
        bao.admin.secrets.transit.update_key_configuration(name, deletion_allowed=True)
        bao.admin.secrets.transit.delete_key(name)
    file = tmp_path / "token"
    file.write_text(bao.token() + "\n")
    return file


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def keys(bao: OpenBao, token_file: Path, clock: FakeClock) -> AsyncIterator[TransitEpochs]:
    server = TransitServer(TransitEngine(bao.url, "transit", ca_file=bao.files.ca), TokenFile(token_file))
    yield TransitEpochs(server, "pellicule", clock)
    await server.close()


@pytest.fixture
async def others(bao: OpenBao, token_file: Path, clock: FakeClock) -> AsyncIterator[TransitEpochs]:
    server = TransitServer(TransitEngine(bao.url, "transit", ca_file=bao.files.ca), TokenFile(token_file))
    yield TransitEpochs(server, "pellicule", clock)
    await server.close()


class TestTransitEpochs(EpochKeysSuite):
    """The suite of all keepers."""


async def test_no_process_can_read_a_key_or_make_it_readable(bao: OpenBao, keys: TransitEpochs) -> None:
    await begun(keys)
    transit, name = bao.client(bao.token()).secrets.transit, f"pellicule-epoch-{FIRST}"
    attempts: list[Callable[[], object]] = [
        lambda: transit.export_key(name, key_type="encryption-key"),
        lambda: transit.backup_key(name),
        lambda: transit.update_key_configuration(name, exportable=True),
        lambda: transit.update_key_configuration(name, allow_plaintext_backup=True),
        lambda: transit.encrypt_data(name, "aGk="),
        lambda: transit.create_key("another"),
    ]
    for attempt in attempts:
        with pytest.raises(hvac.exceptions.Forbidden):
            attempt()


async def test_a_key_that_somebody_rotates_derives_the_same(bao: OpenBao, keys: TransitEpochs) -> None:
    await begun(keys)
    key = await wrapped(keys)
    bao.admin.secrets.transit.rotate_key(f"pellicule-epoch-{FIRST}")
    await keys.end(SECOND)
    keys.shun([])
    await _forgotten(keys)
    assert await unwrapped(keys, key) == SECRET


async def test_what_was_derived_is_kept_for_a_while_and_then_asked_for_again(
    bao: OpenBao, keys: TransitEpochs, clock: FakeClock
) -> None:
    await begun(keys)
    key = await wrapped(keys)
    await bao.stop()
    try:
        await clock.advance(KEPT_SECONDS - 1)
        assert await unwrapped(keys, key) == SECRET
        await clock.advance(2)
        with pytest.raises(KeysUnavailable):
            await unwrapped(keys, key)
    finally:
        await bao.start()
    assert await unwrapped(keys, key) == SECRET


async def test_a_server_that_is_away_has_lost_nothing(bao: OpenBao, keys: TransitEpochs, others: TransitEpochs) -> None:
    await begun(keys)
    key = await wrapped(keys)
    await bao.stop()
    try:
        for attempt in (
            lambda: unwrapped(others, key),
            lambda: is_there(others, FIRST),
            lambda: asked(others, others.all),
            lambda: others.ensure(SECOND),
            lambda: others.end(FIRST),
            others.look,
        ):
            with pytest.raises(KeysUnavailable):
                await attempt()
    finally:
        await bao.start()
    assert await unwrapped(others, key) == SECRET


async def test_a_sealed_server_has_lost_nothing(bao: OpenBao, keys: TransitEpochs, others: TransitEpochs) -> None:
    await begun(keys)
    key = await wrapped(keys)
    bao.admin.sys.seal()
    try:
        with pytest.raises(KeysUnavailable, match="sealed"):
            await unwrapped(others, key)
        with pytest.raises(KeysUnavailable, match="sealed"):
            await is_there(others, FIRST)
    finally:
        await bao.stop()
        await bao.start()
    assert await unwrapped(others, key) == SECRET


@pytest.mark.parametrize(
    ("engine", "said"), [({"mount": "elsewhere"}, "no handler"), ({"namespace": "none"}, "namespace")]
)
async def test_a_wrong_place_has_lost_nothing(
    bao: OpenBao, keys: TransitEpochs, token_file: Path, clock: FakeClock, engine: dict[str, str], said: str
) -> None:
    await begun(keys)
    key = await wrapped(keys)
    place = {"mount": "transit", **engine}
    await asyncio.to_thread(token_file.write_text, bao.admin.token)  # which may look anywhere
    server = TransitServer(TransitEngine(bao.url, ca_file=bao.files.ca, **place), TokenFile(token_file))
    elsewhere = TransitEpochs(server, "pellicule", clock)
    for attempt in (lambda: unwrapped(elsewhere, key), lambda: is_there(elsewhere, FIRST)):
        with pytest.raises(KeysUnavailable, match=said):
            await attempt()
    await server.close()


async def test_a_token_is_read_again_when_it_was_renewed(bao: OpenBao, keys: TransitEpochs, token_file: Path) -> None:
    await begun(keys)
    revoke(bao, token_file)
    with pytest.raises(KeysUnavailable, match="PELLICULE_TRANSIT_TOKEN_FILE"):
        await keys.look()
    renew(bao, token_file)
    await keys.look()
    assert await asked(keys, keys.all) == [FIRST]


async def test_a_token_that_is_not_there_is_named(keys: TransitEpochs, token_file: Path) -> None:
    await asyncio.to_thread(token_file.unlink)
    with pytest.raises(KeysUnavailable, match="PELLICULE_TRANSIT_TOKEN_FILE"):
        await keys.look()


async def test_a_pods_account_logs_in_and_again_when_its_token_is_over_or_refused(
    bao: OpenBao, keys: TransitEpochs, clock: FakeClock, tmp_path: Path
) -> None:
    await begun(keys)
    jwt_file = tmp_path / "jwt"
    with account_of(bao, "retention") as account:
        jwt_file.write_text(account.jwt())
        login = AccountLogin(TransitLogin(None, "retention", "kubernetes", jwt_file), clock)
        server = TransitServer(TransitEngine(bao.url, "transit", ca_file=bao.files.ca), login)
        pod = TransitEpochs(server, "pellicule", clock)
        await pod.look()
        first = login.current(bao.admin)
        await pod.look()
        assert login.current(bao.admin) == first, "one login for many calls"
        bao.admin.auth.token.revoke(first)
        await pod.look()
        second = login.current(bao.admin)
        jwt_file.write_text(account.jwt())
        await clock.advance(3600)
        await pod.look()
        assert len({first, second, login.current(bao.admin)}) == 3
        account.refuses = True
        await clock.advance(3600)
        with pytest.raises(KeysUnavailable, match="bind the service account of retention to the role retention"):
            await pod.look()
        await server.close()


async def test_another_authority_is_refused_by_the_settings_name(
    bao: OpenBao, token_file: Path, tmp_path: Path
) -> None:
    ca = FakeAuthority(tmp_path).issue("nobody").ca
    server = TransitServer(TransitEngine(bao.url, "transit", ca_file=ca), TokenFile(token_file))
    with pytest.raises(ServerNotTrusted, match="PELLICULE_TRANSIT_CA_FILE"):
        await server.names()
    await server.close()


async def test_two_installations_share_a_server_by_their_prefixes(
    bao: OpenBao, keys: TransitEpochs, clock: FakeClock, tmp_path: Path
) -> None:
    file = tmp_path / "admin"
    file.write_text(bao.admin.token)
    server = TransitServer(TransitEngine(bao.url, "transit", ca_file=bao.files.ca), TokenFile(file))
    neighbour = TransitEpochs(server, "neighbour", clock)
    await begun(keys)
    key = await wrapped(keys)
    assert not await is_there(neighbour, FIRST)
    await begun(neighbour)
    with pytest.raises(EpochGone):
        await unwrapped(neighbour, key)
    await neighbour.end(FIRST)
    assert await unwrapped(keys, key) == SECRET
    await server.close()


def revoke(bao: OpenBao, file: Path) -> None:
    bao.admin.auth.token.revoke(file.read_text().strip())


def renew(bao: OpenBao, file: Path) -> None:
    file.write_text(bao.token())


async def _forgotten(keys: EpochKeys) -> None:
    """Have a process derive everything anew."""
    assert isinstance(keys, TransitEpochs)
    keys._derived.clear()  # as a restart does
