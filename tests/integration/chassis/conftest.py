import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from deploy.local.parts.postgres import postgres_server
from services.chassis.clock import SystemClock
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.server import InternalServices, RunningServer, running_server
from services.chassis.settings import DatabaseSettings, ServiceSettings
from services.chassis.tokens import Role, jwks_document, mint_token
from tests.fakes.certificates import CertificateFiles, FakeAuthority
from tests.integration.chassis import echo

ISSUER = "pellicule-local"
AUDIENCE = "pellicule"
SERVICE = "ingest"
"""Whose database and bus account the tests use."""


@dataclass(frozen=True)
class Site:
    """What a deployment has before its services start: an authority, an issuer, the pseudonyms' key."""

    folder: Path
    authority: FakeAuthority
    issuer_key: bytes
    subject_key: bytes

    def settings(self, service: str) -> ServiceSettings:
        files = self.authority.issue(service)
        return ServiceSettings(
            public_address="127.0.0.1:0",
            internal_address="127.0.0.1:0",
            tls_ca_file=files.ca,
            tls_cert_file=files.certificate,
            tls_key_file=files.key,
            token_jwks_file=self.folder / "jwks.json",
            subject_key_file=self.folder / "subject.key",
            stop_grace_seconds=20,
        )

    def token(self, person: str = "ada", role: Role | None = None, ttl: timedelta = timedelta(minutes=5)) -> str:
        return mint_token(
            self.issuer_key,
            issuer=ISSUER,
            audience=AUDIENCE,
            subject=person,
            ttl=ttl,
            role=role,
            clock=SystemClock(),
        )


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    key = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    subject_key = secrets.token_bytes(32)
    (folder / "jwks.json").write_text(jwks_document(key))
    (folder / "subject.key").write_text(subject_key.hex() + "\n")
    echo.describe()
    return Site(folder, FakeAuthority(folder), key, subject_key)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DatabaseSettings]:
    folder = tmp_path_factory.mktemp("postgres")
    async with postgres_server(folder, [SERVICE]) as server:
        settings = DatabaseSettings(
            database_url=SecretStr(server.url(SERVICE)), database_pool_size=6, database_lock_timeout_seconds=0.3
        )
        (folder / "migrations").mkdir()
        (folder / "migrations" / "20260102000001_effect.sql").write_text(
            "-- migrate:up\nCREATE TABLE effect (event_id text PRIMARY KEY);\n-- migrate:down\nDROP TABLE effect;\n"
        )
        await asyncio.gather(*(migrate(settings, folder / "migrations") for _ in range(2)))
        yield settings


@pytest.fixture
async def pool(database: DatabaseSettings) -> AsyncIterator[Pool]:
    async with open_pool(database) as pool:
        async with pool.connection() as connection:
            await connection.execute(
                "TRUNCATE turn, lease, outbox, inbox, dead_letter, set_aside, bucket_walk, orphan, effect,"
                " change_head, change_feed, change_acknowledgement"
            )
        yield pool


Start = Callable[[echo.Echo], AbstractAsyncContextManager[RunningServer]]


@pytest.fixture
def start(site: Site) -> Start:
    @asynccontextmanager
    async def _start(service: echo.Echo) -> AsyncIterator[RunningServer]:
        async with running_server(
            name="test",
            settings=site.settings("test"),
            register=service.register,
            service_names=[echo.SERVICE],
            access=echo.ACCESS,
            clock=SystemClock(),
            internal=InternalServices(service.register_internal, [echo.INTERNAL_SERVICE]),
        ) as server:
            yield server

    return _start


@pytest.fixture
def service() -> echo.Echo:
    return echo.Echo()


@pytest.fixture
async def server(start: Start, service: echo.Echo) -> AsyncIterator[RunningServer]:
    async with start(service) as running:
        yield running


@pytest.fixture
async def public(server: RunningServer, site: Site) -> AsyncIterator[grpc.aio.Channel]:
    files = site.authority.issue("phone")
    credentials = grpc.ssl_channel_credentials(files.ca.read_bytes())
    async with grpc.aio.secure_channel(f"127.0.0.1:{server.public_port}", credentials) as channel:
        yield channel


def internal_channel(port: int, files: CertificateFiles) -> grpc.aio.Channel:
    credentials = grpc.ssl_channel_credentials(
        files.ca.read_bytes(), files.key.read_bytes(), files.certificate.read_bytes()
    )
    return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)
