"""The retention service with its whole interceptor chain, in this process, and those who call it."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.messaging.bus import connect_bus
from services.chassis.messaging.relay import OutboxRelay
from services.chassis.server import InternalServices, RunningServer, running_server
from services.chassis.settings import BusSettings
from services.chassis.supervision import supervised
from services.chassis.tokens import jwks_document, mint_token, subject_pseudonym
from services.retention.__main__ import INTERNAL_SERVICES, NAME, SERVICES, STREAM
from services.retention.access import ACCESS
from services.retention.operations.watch_revocations import RevocationHub
from services.retention.servicer import register, register_internal
from services.retention.settings import Settings
from services.retention.store.database import PostgresStore
from tests.contract.retention.harness import RetentionHarness
from tests.fakes.certificates import FakeAuthority, certificates_of

ISSUER = "pellicule-local"


class Callers:
    """Certificates of services and tokens of persons."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = FakeAuthority(folder)
        self._issuer_key = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._subject_key = secrets.token_bytes(32)
        (folder / "jwks.json").write_text(jwks_document(self._issuer_key))
        (folder / "subject.key").write_text(self._subject_key.hex())

    def settings(self, service: str) -> Settings:
        files = self.authority.issue(service)
        return Settings(
            public_address="127.0.0.1:0",
            internal_address="127.0.0.1:0",
            tls_ca_file=files.ca,
            tls_cert_file=files.certificate,
            tls_key_file=files.key,
            token_jwks_file=self.folder / "jwks.json",
            subject_key_file=self.folder / "subject.key",
            stop_grace_seconds=0.2,
            database_url=SecretStr("postgresql://not-used"),
            nats_url=SecretStr("nats://not-used"),
            root_key_file=self.folder / "root.key",
            epoch_dir=self.folder / "epochs",
            journal_dir=self.folder / "journal",
        )

    def pseudonym(self, person: str) -> str:
        return subject_pseudonym(self._subject_key, ISSUER, person)

    def bearer(self, person: str, ttl: timedelta = timedelta(minutes=5)) -> tuple[tuple[str, str], ...]:
        token = mint_token(
            self._issuer_key,
            issuer=ISSUER,
            audience="pellicule",
            subject=person,
            ttl=ttl,
            role=None,
            clock=SystemClock(),
        )
        return (("authorization", f"Bearer {token}"),)


class RunningRetention:
    """A server that answers, and channels to it."""

    def __init__(
        self, callers: Callers, harness: RetentionHarness, server: RunningServer, stack: AsyncExitStack
    ) -> None:
        self.callers = callers
        self.harness = harness
        self._server = server
        self._serving = stack
        self._channels = AsyncExitStack()

    async def stop(self) -> None:
        """Stop the server; channels to it stay open, without an answer."""
        await self._serving.aclose()

    async def close(self) -> None:
        await self._channels.aclose()
        await self.stop()

    @property
    def internal_port(self) -> int:
        return self._server.internal_port

    async def as_service(self, name: str, port: int | None = None) -> grpc.aio.Channel:
        target = f"127.0.0.1:{port or self.internal_port}"
        channel = open_channel(target, certificates_of(self.callers.settings(name)), service=NAME)
        return await self._channels.enter_async_context(channel)

    async def as_public(self) -> grpc.aio.Channel:
        files = self.callers.authority.issue("phone")
        credentials = grpc.ssl_channel_credentials(files.ca.read_bytes())
        channel = grpc.aio.secure_channel(f"127.0.0.1:{self._server.public_port}", credentials)
        return await self._channels.enter_async_context(channel)


@asynccontextmanager
async def running_retention(harness: RetentionHarness, callers: Callers) -> AsyncIterator[RunningRetention]:
    """Run the server and the hub; the clock loop runs when the test says `harness.tick()`."""
    hub = RevocationHub(harness.store.replicas, SystemClock())
    harness.revocations = hub
    dependencies = harness.dependencies
    stack = AsyncExitStack()
    try:
        await stack.enter_async_context(supervised([hub.run]))
        server = await stack.enter_async_context(
            running_server(
                name=NAME,
                settings=callers.settings(NAME),
                register=partial(register, dependencies=dependencies),
                internal=InternalServices(partial(register_internal, dependencies=dependencies), INTERNAL_SERVICES),
                service_names=SERVICES,
                access=ACCESS,
                clock=SystemClock(),
            )
        )
        running = RunningRetention(callers, harness, server, stack)
        try:
            yield running
        finally:
            await running.close()
    finally:
        await stack.aclose()


@asynccontextmanager
async def running_relay(pool: Pool, settings: BusSettings) -> AsyncIterator[None]:
    """Publish what the outbox holds."""
    async with connect_bus(settings) as bus, supervised([OutboxRelay(pool, bus, SystemClock(), STREAM).run]):
        yield


def store_of(harness: RetentionHarness) -> PostgresStore:
    """Return the real store behind a harness."""
    if not isinstance(harness.store, PostgresStore):
        raise TypeError("this harness stands on a fake")
    return harness.store
