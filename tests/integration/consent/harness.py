"""Consent with its whole interceptor chain in this process, and retention as a process of its own behind it."""

import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.local.parts.lifecycle import bring_up
from deploy.local.parts.nats import NatsServer
from deploy.local.parts.postgres import PostgresServer
from deploy.local.parts.process import ServerProcess
from deploy.local.parts.service import ServiceProcess
from pellicule.consent.v1 import (
    consent_pb2,
    consent_service_pb2,
    consent_service_pb2_grpc,
    notice_pb2,
    notice_service_pb2,
    notice_service_pb2_grpc,
)
from pellicule.type.v1 import purpose_pb2
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.database import Pool, open_pool
from services.chassis.error_details import RemoteError, read_error
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.failed_work.turns import Turns
from services.chassis.limits.allowance import DailyLimit
from services.chassis.listener import Listener
from services.chassis.messaging.bus import Bus
from services.chassis.server import RunningServer, running_server
from services.chassis.supervision import supervised
from services.chassis.tokens import jwks_document, mint_token, subject_pseudonym
from services.consent.__main__ import DECISIONS_A_DAY, SERVICES, SERVINGS_A_DAY, WITHDRAWAL_CONNECTIONS
from services.consent.access import ACCESS
from services.consent.notices.notice_files import read_notices, reopen_notice
from services.consent.notices.policy_file import read_policy
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.publish_notices import publish_notices
from services.consent.operations.purge import execute
from services.consent.receipts.signer import Ed25519Signer
from services.consent.servicer import register
from services.consent.settings import Settings
from services.consent.store.change_feed import CHANNEL, ListeningChangeFeed
from services.consent.store.consents import PostgresConsentStore
from services.consent.store.notices import PostgresNoticeStore
from services.consent.store.record_keys import RecordKeys
from services.keyring import NewDataKey, PurposeNotGranted
from services.keyring.client import RetentionKeyring
from services.keyring.purge import PurgeLoop
from services.keyring.purpose_keys import RetentionPurposeKeys
from tests.contract.consent.store_suite import FOLDER
from tests.fakes.certificates import FakeAuthority, certificates_of
from tests.fakes.ports import free_port

Watching: TypeAlias = (
    "grpc.aio.UnaryStreamCall[consent_service_pb2.WatchConsentRequest, consent_service_pb2.WatchConsentResponse]"
)

ISSUER = "pellicule-local"
CALIFORNIA = consent_pb2.Jurisdiction(region_code="US-CA", basis=consent_pb2.DETERMINATION_BASIS_SELF_DECLARED)
OF_AGE = consent_pb2.Age(band=consent_pb2.AGE_BAND_ADULT, basis=consent_pb2.DETERMINATION_BASIS_SELF_DECLARED)


class Harness:
    """What stands before any service starts: servers, certificates, an issuer of tokens, keys in files."""

    def __init__(self, folder: Path, postgres: PostgresServer, nats: NatsServer) -> None:
        self.folder = folder
        self.postgres = postgres
        self.nats = nats
        self.authority = FakeAuthority(folder)
        self.retention_address = f"127.0.0.1:{free_port()}"
        self.lost_epochs = ""
        self._issuer_key = _pem(Ed25519PrivateKey.generate())
        self._subject_key = secrets.token_bytes(32)
        (folder / "jwks.json").write_text(jwks_document(self._issuer_key))
        (folder / "subject.key").write_text(self._subject_key.hex())
        (folder / "receipt.pem").write_bytes(_pem(Ed25519PrivateKey.generate()))
        for name in ("record.key", "root.key"):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(secrets.token_hex(32))

    def environment(self, service: str, *, public_address: str, internal_address: str) -> dict[str, str]:
        """Return what a process of a service is started with."""
        files = self.authority.issue(service)
        named = {
            "PUBLIC_ADDRESS": public_address,
            "INTERNAL_ADDRESS": internal_address,
            "TLS_CA_FILE": files.ca,
            "TLS_CERT_FILE": files.certificate,
            "TLS_KEY_FILE": files.key,
            "TOKEN_JWKS_FILE": self.folder / "jwks.json",
            "SUBJECT_KEY_FILE": self.folder / "subject.key",
            "DATABASE_URL": self.postgres.url(service),
            "NATS_URL": self.nats.url(service),
            "RETENTION_TARGET": self.retention_address,
            "RECEIPT_KEY_FILE": self.folder / "receipt.pem",
            "RECORD_KEY_FILE": self.folder / "record.key",
            "ROOT_KEY_FILE": self.folder / "root.key",
            "EPOCH_DIR": self.folder / "epochs",
            "LOST_EPOCHS": self.lost_epochs,
            "JOURNAL_DIR": self.folder / "journal",
        }
        return {f"PELLICULE_{name}": str(value) for name, value in named.items()}

    def settings(self) -> Settings:
        """Return the settings of consent in this process."""
        files = self.authority.issue("consent")
        return Settings(
            public_address="127.0.0.1:0",
            internal_address="127.0.0.1:0",
            tls_ca_file=files.ca,
            tls_cert_file=files.certificate,
            tls_key_file=files.key,
            token_jwks_file=self.folder / "jwks.json",
            subject_key_file=self.folder / "subject.key",
            database_url=self.postgres.url("consent"),
            nats_url=self.nats.url("consent"),
            retention_target=self.retention_address,
            receipt_key_file=self.folder / "receipt.pem",
            record_key_file=self.folder / "record.key",
            journal_dir=self.folder / "journal",
            stop_grace_seconds=0.2,
        )

    def token(self, person: str, ttl: timedelta = timedelta(minutes=5)) -> str:
        """Return a token of a person."""
        return mint_token(
            self._issuer_key,
            issuer=ISSUER,
            audience="pellicule",
            subject=person,
            ttl=ttl,
            role=None,
            clock=SystemClock(),
        )

    def pseudonym(self, person: str) -> str:
        """Return the pseudonym of a person."""
        return subject_pseudonym(self._subject_key, ISSUER, person)

    def service_process(self, name: str, *, public_address: str, internal_address: str) -> ServiceProcess:
        """Return a service as a part that can be started."""
        return ServiceProcess(
            name,
            folder=self.folder / name,
            log=self.folder / f"{name}.log",
            address=public_address,
            environment=self.environment(name, public_address=public_address, internal_address=internal_address),
            authority=self.authority.issue("phone").ca,
        )


class Retention:
    """The retention service as a process that a test can stop and start again."""

    def __init__(self, harness: Harness) -> None:
        self._harness = harness
        self.address = f"127.0.0.1:{free_port()}"
        self._process: ServerProcess | None = None

    async def start(self) -> None:
        part = self._harness.service_process(
            "retention", public_address=self.address, internal_address=self._harness.retention_address
        )
        self._process = await bring_up(part)

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """Stop the process for the block as a deadlock would: it takes connections, and answers nothing."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()
            self._process = None


@dataclass(frozen=True)
class RunningConsent:
    """The service, its loops to be run by hand, and a keyring to see what it made and destroyed."""

    harness: Harness
    pool: Pool
    dependencies: Dependencies
    purge: PurgeLoop
    turns: Turns
    keyring: RetentionKeyring
    channel: grpc.aio.Channel
    retention: grpc.aio.Channel
    notices: PostgresNoticeStore

    def person(self, name: str | None = None) -> "Person":
        """Return a new person, or the one of this name."""
        return Person(self, name or f"person-{uuid4()}")


class Person:
    """A person with a token who calls the service over TLS."""

    def __init__(self, consent: RunningConsent, name: str) -> None:
        self.subject = consent.harness.pseudonym(name)
        self.metadata = (("authorization", f"Bearer {consent.harness.token(name)}"),)
        self._keyring = consent.keyring
        self._notices = notice_service_pb2_grpc.NoticeServiceStub(consent.channel)
        self._consent = consent_service_pb2_grpc.ConsentServiceStub(consent.channel)

    async def read_notice(self) -> str:
        """Return the name of the notice in force."""
        request = notice_service_pb2.GetNoticeRequest(name="notices/current")
        return (await self._notices.GetNotice(request)).notice.name

    async def show(self, notice: str | None = None) -> str:
        """Record that the notice was shown, and return the name of the record."""
        request = notice_service_pb2.RecordNoticeServedRequest(
            request_id=str(uuid4()),
            notice=notice or await self.read_notice(),
            language_code="fr",
            surface=notice_pb2.SURFACE_CLI,
            build="0.1.0",
            rendered_sha256=b"f" * 32,
        )
        return (await self._notices.RecordNoticeServed(request, metadata=self.metadata)).notice_serving.name

    async def decision(
        self, *, grant: tuple[str, ...] = (), refuse: tuple[str, ...] = ()
    ) -> consent_service_pb2.DecideConsentRequest:
        """Return a decision that can be sent."""
        notice = await self.read_notice()
        chosen = [(name, consent_pb2.CHOICE_GRANT) for name in grant]
        chosen += [(name, consent_pb2.CHOICE_REFUSE) for name in refuse]
        return consent_service_pb2.DecideConsentRequest(
            request_id=str(uuid4()),
            notice=notice,
            notice_serving=await self.show(notice),
            decisions=[consent_pb2.PurposeDecision(purpose=number(name), choice=choice) for name, choice in chosen],
            jurisdiction=CALIFORNIA,
            age=OF_AGE,
        )

    async def decide(
        self, request: consent_service_pb2.DecideConsentRequest
    ) -> consent_service_pb2.DecideConsentResponse:
        """Send a decision."""
        return await self._consent.DecideConsent(request, metadata=self.metadata)

    async def grant(self, *names: str) -> consent_service_pb2.DecideConsentResponse:
        """Grants purposes."""
        return await self.decide(await self.decision(grant=names))

    async def withdraw(self, *names: str, request_id: str | None = None) -> consent_service_pb2.WithdrawConsentResponse:
        """Withdraws purposes."""
        request = consent_service_pb2.WithdrawConsentRequest(
            request_id=request_id or str(uuid4()), purposes=map(number, names)
        )
        return await self._consent.WithdrawConsent(request, metadata=self.metadata)

    async def state(self) -> dict[str, str]:
        """Return where the purposes stand that were ever decided."""
        request = consent_service_pb2.GetConsentStateRequest()
        return standing((await self._consent.GetConsentState(request, metadata=self.metadata)).state)

    async def events(self, *, size: int = 0, token: str = "") -> consent_service_pb2.ListConsentEventsResponse:
        """Return a page of events."""
        request = consent_service_pb2.ListConsentEventsRequest(page_size=size, page_token=token)
        return await self._consent.ListConsentEvents(request, metadata=self.metadata)

    async def can_seal(self, purpose: str) -> bool:
        """Tells whether another service gets keys for a purpose of this person."""
        key = NewDataKey(delete_by=SystemClock().now() + timedelta(days=1), lineage=(f"media/{uuid4()}",))
        try:
            await self._keyring.create(subject=self.subject, purpose=purpose, keys=[key])
        except PurposeNotGranted:
            return False
        return True

    def watch(
        self,
    ) -> "grpc.aio.UnaryStreamCall[consent_service_pb2.WatchConsentRequest, consent_service_pb2.WatchConsentResponse]":
        """Open the stream of states."""
        return self._consent.WatchConsent(consent_service_pb2.WatchConsentRequest(), metadata=self.metadata)


def number(name: str) -> purpose_pb2.Purpose.ValueType:
    """Return the enum value of a purpose."""
    return purpose_pb2.Purpose.Value(f"PURPOSE_{name}")


def standing(state: consent_pb2.ConsentState) -> dict[str, str]:
    """Return the status of each purpose that was ever decided; one whose end is pending has a star."""
    rows = {
        purpose_pb2.Purpose.Name(row.purpose).removeprefix("PURPOSE_"): (
            consent_pb2.ConsentStatus.Name(row.status).removeprefix("CONSENT_STATUS_") + "*" * row.end_pending
        )
        for row in state.purposes
    }
    return {name: status for name, status in rows.items() if status != "UNASKED"}


def refusal(error: grpc.aio.AioRpcError) -> RemoteError:
    """Return what the service said about a call that it refused, and check who said it."""
    said = read_error(error)
    assert said.domain == "consent.pellicule"
    return said


@asynccontextmanager
async def running_consent(
    harness: Harness, pool: Pool, bus: Bus, settings: Settings | None = None
) -> AsyncIterator[RunningConsent]:
    """Run the service in this process, over the real database, bus and retention."""
    settings, clock = settings or harness.settings(), SystemClock()
    keys = RecordKeys.read(settings.record_key_file)
    store, notices = PostgresConsentStore(pool, keys), PostgresNoticeStore(pool, keys, reopen_notice)
    async with AsyncExitStack() as stack:
        reserved = await stack.enter_async_context(open_pool(settings, size=WITHDRAWAL_CONNECTIONS))
        retention = await stack.enter_async_context(
            open_channel(settings.retention_target, certificates_of(settings), service="retention")
        )
        as_ingest = settings.model_copy(update=_identity(harness, "ingest"))
        elsewhere = await stack.enter_async_context(
            open_channel(settings.retention_target, certificates_of(as_ingest), service="retention")
        )
        listener = Listener(pool, clock, CHANNEL)
        policy = read_policy(settings.policy_file)
        dependencies = Dependencies(
            store=store,
            withdrawals=PostgresConsentStore(reserved, keys),
            notices=notices,
            policy=policy,
            keys=RetentionPurposeKeys(retention),
            feed=ListeningChangeFeed(listener),
            signer=Ed25519Signer.read(settings.receipt_key_file),
            clock=clock,
            servings_a_day=DailyLimit("notices shown", SERVINGS_A_DAY),
            decisions_a_day=DailyLimit("decisions", DECISIONS_A_DAY),
        )
        await publish_notices(read_notices(FOLDER / "notices", policy.offered), dependencies)
        await stack.enter_async_context(supervised([listener.run]))
        server = await stack.enter_async_context(
            running_server(
                name="consent",
                settings=settings,
                register=partial(register, dependencies=dependencies),
                service_names=SERVICES,
                access=ACCESS,
                clock=clock,
            )
        )
        yield RunningConsent(
            harness=harness,
            pool=pool,
            dependencies=dependencies,
            purge=PurgeLoop(
                retention, "consent", bus, partial(execute, dependencies=dependencies), clock, PostgresSetAside(pool)
            ),
            turns=Turns("person", PostgresSetAside(pool), clock),
            keyring=RetentionKeyring(elsewhere, clock),
            channel=await stack.enter_async_context(_public_channel(harness, server)),
            retention=retention,
            notices=notices,
        )


def _public_channel(harness: Harness, server: RunningServer) -> grpc.aio.Channel:
    credentials = grpc.ssl_channel_credentials(harness.authority.issue("phone").ca.read_bytes())
    return grpc.aio.secure_channel(f"127.0.0.1:{server.public_port}", credentials)


def _identity(harness: Harness, service: str) -> dict[str, Path]:
    files = harness.authority.issue(service)
    return {"tls_ca_file": files.ca, "tls_cert_file": files.certificate, "tls_key_file": files.key}


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
