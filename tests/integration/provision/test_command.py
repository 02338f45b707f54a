"""The command as a Job runs it: Secrets in files and variables, all servers, JSON Lines, exit statuses."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from deploy.declarations import MODEL_IDENTITIES, SERVICES
from deploy.local.parts.minio import MinioServer, minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.nats import NatsServer, nats_server
from deploy.local.parts.object_store import ADMINISTRATOR
from deploy.local.parts.postgres import PostgresServer, postgres_server
from deploy.local.parts.seaweedfs import SeaweedServer, seaweedfs_server
from tests.contract.products import ROOT


@dataclass(frozen=True)
class Place:
    """A set of servers, and the Secrets for them in a folder."""

    credentials: Path
    environment: Mapping[str, str]
    administrator: str

    def run(self, *options: str, environment: Mapping[str, str] | None = None) -> tuple[int, list[dict[str, Any]]]:
        command = [sys.executable, "-m", "deploy.provision", "--json", *options]
        given = self.environment if environment is None else environment
        done = subprocess.run(
            command, cwd=ROOT, env={"PATH": os.environ["PATH"], **given}, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def keep(folder: Path, name: str, **secrets: str) -> None:
    (folder / name).mkdir(parents=True, exist_ok=True)
    for key, secret in secrets.items():
        (folder / name / key.replace("_", "-")).write_text(f"{secret}\n")


def secrets_of_services(folder: Path, nats: NatsServer) -> None:
    for service in SERVICES:
        keep(folder, service, database_password=f"database of {service}", nats_url=nats.url(service),
             s3_secret_key=f"store of {service}")  # fmt: skip
    for name in MODEL_IDENTITIES:
        keep(folder, name, s3_secret_key=f"store of {name}")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["seaweedfs", "minio"])
async def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    if request.param == "minio" and cached_minio() is None:
        pytest.skip("MinIO is not built here: python -m deploy.local.parts.minio_program")
    folder = tmp_path_factory.mktemp(request.param)
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(postgres_server(folder, roles=()))
        nats = await stack.enter_async_context(nats_server(folder))
        store: MinioServer | SeaweedServer = (
            await stack.enter_async_context(minio_server(folder))
            if request.param == "minio"
            else await stack.enter_async_context(seaweedfs_server(folder))
        )
        credentials = folder / "credentials"
        secrets_of_services(credentials, nats)
        administrator = store.identity(ADMINISTRATOR)
        keep(credentials, ADMINISTRATOR, s3_access_key=administrator.access_key,
             s3_secret_key=administrator.secret_key)  # fmt: skip
        yield Place(credentials, environment(credentials, postgres, nats, store.address, request.param),
                    postgres.url("postgres"))  # fmt: skip


def environment(
    credentials: Path, postgres: PostgresServer, nats: NatsServer, store: str, kind: str
) -> Mapping[str, str]:
    named = {
        "CREDENTIALS_DIR": str(credentials),
        "ADMINISTRATOR_DATABASE_URL": postgres.url("postgres"),
        "S3_ENDPOINT": f"http://{store}",
        "S3_IDENTITIES": "minio" if kind == "minio" else "documents",
        "NATS_URL": f"nats://{nats.address}",
    }
    return {f"PELLICULE_PROVISION_{name}": value for name, value in named.items()}


def about(lines: list[dict[str, Any]]) -> list[str]:
    return [f"{line['subject']} {line['wrong']}" for line in lines if "subject" in line]


@pytest.fixture
def provisioned(place: Place) -> Place:
    status, lines = place.run()
    assert (status, [line for line in lines if "error" in line]) == (0, [])
    return place


def test_a_second_run_finds_nothing(provisioned: Place) -> None:
    status, lines = provisioned.run()

    assert (status, about(lines)) == (0, [])


def test_a_check_says_what_differs_and_changes_nothing(provisioned: Place) -> None:
    with psycopg.connect(provisioned.administrator, autocommit=True) as connection:
        connection.execute("ALTER ROLE ingest CREATEDB")

    checks = [provisioned.run("--check") for _ in range(2)]

    assert [(status, about(lines)) for status, lines in checks] == [(1, ["role ingest is not NOCREATEDB"])] * 2


def test_a_secret_that_changes_is_the_one_that_opens(provisioned: Place) -> None:
    keep(provisioned.credentials, "consent", database_password="another")
    status, lines = provisioned.run()

    assert status == 0
    assert [line["repaired"] for line in lines if line.get("subject") == "role consent"] == [True]
    assert provisioned.run("--check")[0] == 0


def test_a_user_of_the_bus_with_another_password_fails_the_run(provisioned: Place) -> None:
    before = (provisioned.credentials / "ingest" / "nats-url").read_text()
    keep(provisioned.credentials, "ingest", nats_url="nats://ingest:another@host")
    status, lines = provisioned.run()
    keep(provisioned.credentials, "ingest", nats_url=before.strip())

    (line,) = [line for line in lines if "subject" in line]
    assert (status, line["subject"], line["repaired"]) == (1, "user ingest of the bus", False)
    assert "--write" in line["remedy"]


def test_a_missing_secret_is_named(place: Place) -> None:
    (place.credentials / "analysis" / "database-password").rename(place.credentials / "aside")
    status, (line,) = place.run()
    (place.credentials / "aside").rename(place.credentials / "analysis" / "database-password")

    assert (status, line["error"]["reason"]) == (1, "SECRET_MISSING")
    assert "analysis/database-password" in line["error"]["message"]
    assert line["error"]["field"] == "PELLICULE_PROVISION_ANALYSIS_DATABASE_PASSWORD"


def test_a_server_that_is_away_is_named(place: Place) -> None:
    away = {**place.environment, "PELLICULE_PROVISION_ADMINISTRATOR_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
    status, (line,) = place.run(environment=away)

    assert (status, line["error"]["reason"], line["error"]["field"]) == (1, "SERVER_UNREACHABLE", "PostgreSQL")


def test_an_administrator_whom_the_store_does_not_know_is_said(place: Place) -> None:
    other = {**place.environment, "PELLICULE_PROVISION_ADMINISTRATOR_S3_SECRET_KEY": "a wrong secret"}
    status, lines = place.run(environment=other)

    assert (status, lines[-1]["error"]["reason"]) == (1, "SERVER_UNREACHABLE")
    assert "the administrator's credentials" in lines[-1]["error"]["message"]


def test_a_wrong_setting_is_named(place: Place) -> None:
    status, (line,) = place.run(environment={**place.environment, "PELLICULE_PROVISION_S3_ENDPOINT": "store:9000"})

    assert (status, line["error"]["reason"]) == (2, "SETTING_INVALID")
    assert line["error"]["field"] == "PELLICULE_PROVISION_S3_ENDPOINT"


def test_what_has_no_address_is_left_out_and_said(place: Place) -> None:
    status, lines = place.run("--check", environment={})

    assert status == 0
    assert [line["left_out"].partition(":")[0] for line in lines] == ["PostgreSQL", "object store", "bus"]


def test_documents_for_operators_are_written(place: Place, tmp_path: Path) -> None:
    status, lines = place.run("--write", str(tmp_path))

    secret = [Path(line["file"]) for line in lines if line["secret"]]
    assert (status, [file.name for file in secret]) == (0, ["s3-seaweedfs_s3_config"])
    assert secret[0].stat().st_mode & 0o777 == 0o600
    plain = [Path(line["file"]) for line in lines if not line["secret"]]
    assert not [file.name for file in plain if "store of" in file.read_text() or "database of" in file.read_text()]
