"""The program as it is started: `python -m services.retention`."""

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from pellicule.retention.v1 import retention_service_pb2, retention_service_pb2_grpc
from services.chassis.database import Pool
from services.chassis.error_details import read_error
from services.chassis.settings import BusSettings, DatabaseSettings
from services.retention.__main__ import SERVICES
from tests.fakes.ports import free_port
from tests.integration.eventually import eventually
from tests.integration.retention.harness import Callers
from tests.integration.retention.openbao import OpenBao, openbao

Environment = dict[str, str]


@pytest.fixture
def environment(
    tmp_path: Path, callers: Callers, database: DatabaseSettings, nats: Mapping[str, BusSettings], pool: Pool
) -> Environment:
    """Return the settings of a process; the database is an empty one, as the journal is."""
    files = callers.authority.issue("retention")
    root_key = tmp_path / "root.key"
    root_key.touch(mode=0o600)
    root_key.write_text(secrets.token_hex(32))
    return {
        "PATH": os.environ["PATH"],
        "PELLICULE_PUBLIC_ADDRESS": f"127.0.0.1:{free_port()}",
        "PELLICULE_INTERNAL_ADDRESS": "127.0.0.1:0",
        "PELLICULE_TLS_CA_FILE": str(files.ca),
        "PELLICULE_TLS_CERT_FILE": str(files.certificate),
        "PELLICULE_TLS_KEY_FILE": str(files.key),
        "PELLICULE_TOKEN_JWKS_FILE": str(callers.folder / "jwks.json"),
        "PELLICULE_SUBJECT_KEY_FILE": str(callers.folder / "subject.key"),
        "PELLICULE_DATABASE_URL": database.database_url.get_secret_value(),
        "PELLICULE_NATS_URL": nats["retention"].nats_url.get_secret_value(),
        "PELLICULE_ROOT_KEY_FILE": str(root_key),
        "PELLICULE_EPOCH_DIR": str(tmp_path / "epochs"),
        "PELLICULE_JOURNAL_DIR": str(tmp_path / "journal"),
    }


async def test_it_serves_until_it_is_told_to_stop(environment: Environment, callers: Callers, tmp_path: Path) -> None:
    async with started(environment) as process, public_channel(environment, callers) as channel:
        assert await eventually(lambda: serving(channel))
        data_map = await retention_service_pb2_grpc.RetentionServiceStub(channel).GetDataMap(
            retention_service_pb2.GetDataMapRequest()
        )
        assert "retention.file.epoch" in {store.name for store in data_map.stores}
        assert len(list((tmp_path / "epochs").glob("*.epoch"))) == 1
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_a_root_key_that_others_can_read_is_refused(environment: Environment) -> None:
    open_to_all(environment["PELLICULE_ROOT_KEY_FILE"])
    async with started(environment) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 1
        assert b"chmod 0600" in errors


async def test_a_start_with_an_empty_folder_of_epochs_is_refused_and_says_what_to_do(
    environment: Environment, tmp_path: Path, pool: Pool
) -> None:
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO epoch (id, make_time) VALUES ('2026-11-30', now() - interval '1 day')")
    async with started(environment) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode == 1
        assert b"PELLICULE_LOST_EPOCHS=2026-11-30" in errors
    assert list((tmp_path / "epochs").glob("*.epoch")) == []


async def test_an_operator_gives_epochs_up_by_name(environment: Environment, callers: Callers, pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO epoch (id, make_time) VALUES ('2026-11-30', now() - interval '1 day')")
    environment["PELLICULE_LOST_EPOCHS"] = "2026-11-30"
    async with started(environment), public_channel(environment, callers) as channel:
        assert await eventually(lambda: serving(channel))


async def test_without_the_journal_that_its_database_has_seen_it_opens_nothing_and_says_why(
    environment: Environment, callers: Callers, pool: Pool
) -> None:
    async with pool.connection() as connection:
        await connection.execute("INSERT INTO journal_position (journal, number, digest) VALUES ('gone', 7, '')")
    async with started(environment), public_channel(environment, callers) as channel:
        assert not await serving(channel)
        stub = retention_service_pb2_grpc.RetentionServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.ListErasures(retention_service_pb2.ListErasuresRequest(), metadata=callers.bearer("ada"))
        error = read_error(refused.value)
        assert (refused.value.code(), error.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
        assert "pellicule journal accept-loss gone" in error.message
        assert not await serving(channel)


async def test_epochs_are_in_a_transit_engine_which_may_come_late(
    environment: Environment, callers: Callers, tmp_path: Path
) -> None:
    async with openbao(tmp_path / "openbao", callers.authority.issue("openbao")) as bao:
        keep_in(bao, environment, tmp_path / "token")
        await bao.stop()
        async with started(environment) as process, public_channel(environment, callers) as channel:
            assert not await serving(channel)
            await bao.start()
            assert await eventually(lambda: serving(channel))
            assert process.returncode is None
        [name] = bao.names()
    assert (name[:16], (tmp_path / "epochs").exists()) == ("pellicule-epoch-", False)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PELLICULE_EPOCHS": "transit"}, b"needs PELLICULE_TRANSIT_URL, PELLICULE_TRANSIT_ROLE or PELLICULE_TRANSIT_"),
        ({"PELLICULE_EPOCHS": "kubernetes-secret"}, b"needs PELLICULE_EPOCHS_NAMESPACE, PELLICULE_EPOCHS_SECRET"),
        ({"PELLICULE_EPOCH_DIR": ""}, b"needs PELLICULE_EPOCH_DIR"),
        ({"PELLICULE_EPOCHS": "transit", "PELLICULE_TRANSIT_URL": "http://keys:8200"}, b"transit_url"),
    ],
)
async def test_what_the_choice_of_a_place_needs_is_said(
    environment: Environment, given: Environment, said: bytes
) -> None:
    environment.update(given)
    async with started({name: value for name, value in environment.items() if value}) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 120)
        assert (process.returncode, said in errors) == (1, True), errors


def keep_in(bao: OpenBao, environment: Environment, token: Path) -> None:
    token.write_text(bao.token())
    del environment["PELLICULE_ROOT_KEY_FILE"], environment["PELLICULE_EPOCH_DIR"]
    environment |= {
        "PELLICULE_EPOCHS": "transit",
        "PELLICULE_TRANSIT_URL": bao.url,
        "PELLICULE_TRANSIT_CA_FILE": str(bao.files.ca),
        "PELLICULE_TRANSIT_TOKEN_FILE": str(token),
    }


def open_to_all(file: str) -> None:
    Path(file).chmod(0o644)


@asynccontextmanager
async def started(environment: Environment) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.retention", env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@asynccontextmanager
async def public_channel(environment: Environment, callers: Callers) -> AsyncIterator[grpc.aio.Channel]:
    files = callers.authority.issue("phone")
    credentials = grpc.ssl_channel_credentials(files.ca.read_bytes())
    async with grpc.aio.secure_channel(environment["PELLICULE_PUBLIC_ADDRESS"], credentials) as channel:
        yield channel


async def serving(channel: grpc.aio.Channel) -> bool:
    request = health_pb2.HealthCheckRequest(service=SERVICES[0])
    stub: Any = health_pb2_grpc.HealthStub(cast("grpc.Channel", channel))
    check = await stub.Check(request, wait_for_ready=True, timeout=120)
    return bool(check.status == health_pb2.HealthCheckResponse.SERVING)
