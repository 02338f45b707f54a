"""The suggestion service as a process on real servers, and those whom it meets: persons, retention, the bus."""

import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import psycopg
from pydantic import SecretStr

from deploy.local.parts.lifecycle import bring_up
from deploy.local.parts.nats import NatsServer, nats_server
from deploy.local.parts.postgres import PostgresServer, postgres_server
from deploy.local.parts.process import ServerProcess
from deploy.local.parts.seaweedfs import SeaweedServer, seaweedfs_server
from deploy.local.parts.service import ServiceProcess
from pellicule.analysis.v1 import analysis_pb2
from pellicule.internal.analysis.v1 import library_service_pb2, media_analyzed_pb2
from services.chassis.channels import acting_for, open_channel
from services.chassis.clock import SystemClock
from services.chassis.messaging.bus import Bus, connect_bus
from services.chassis.messaging.events import OutgoingEvent
from services.chassis.object_store import S3ObjectStore
from services.chassis.settings import BusSettings, ObjectStoreSettings
from services.keyring import NewDataKey
from services.keyring.client import RetentionKeyring
from services.keyring.erasure_client import RetentionErasures
from services.keyring.purpose_keys import RetentionPurposeKeys
from tests.fakes.certificates import certificates_of
from tests.fakes.ports import free_port
from tests.integration.retention.harness import Callers
from tests.integration.suggestion.analysis_stand_in import AnalysisStandIn, entry_of
from tests.integration.suggestion.person import Person

LOOPBACK = "127.0.0.1"
ALL_PURPOSES = ("CLOUD_PROCESSING", "LOCATION")
TAKEN = datetime(2026, 5, 2, 14, tzinfo=UTC)


class Service:
    """One of the project's services, as a process that can be killed."""

    def __init__(self, name: str, folder: Path, callers: Callers, environment: Mapping[str, str]) -> None:
        self.public = f"{LOOPBACK}:{free_port()}"
        self.internal = f"{LOOPBACK}:{free_port()}"
        files = callers.authority.issue(name)
        self._process: ServerProcess | None = None
        self._part = ServiceProcess(
            name,
            folder=folder / name,
            log=folder / f"{name}.log",
            address=self.public,
            authority=files.ca,
            environment={
                "PATH": os.environ["PATH"],
                "PELLICULE_PUBLIC_ADDRESS": self.public,
                "PELLICULE_INTERNAL_ADDRESS": self.internal,
                "PELLICULE_TLS_CA_FILE": str(files.ca),
                "PELLICULE_TLS_CERT_FILE": str(files.certificate),
                "PELLICULE_TLS_KEY_FILE": str(files.key),
                "PELLICULE_TOKEN_JWKS_FILE": str(callers.folder / "jwks.json"),
                "PELLICULE_SUBJECT_KEY_FILE": str(callers.folder / "subject.key"),
                **environment,
            },
        )

    async def start(self) -> None:
        self._process = await bring_up(self._part)

    async def stop(self) -> None:
        if self._process is not None:
            await self._process.stop()
            self._process = None

    async def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            os.kill(self._process.pid, 9)
        await self.stop()


class Harness:
    """What the tests stand on."""

    def __init__(
        self, folder: Path, postgres: PostgresServer, nats: NatsServer, objects: SeaweedServer, stack: AsyncExitStack
    ) -> None:
        (folder / "callers").mkdir()
        self.callers = Callers(folder / "callers")
        self._postgres, self._nats, self._seaweed, self._stack = postgres, nats, objects, stack
        address = f"{LOOPBACK}:{free_port()}"
        self.analysis = AnalysisStandIn(
            self.callers.settings("analysis").model_copy(update={"internal_address": address})
        )
        self.retention = Service("retention", folder, self.callers, {**self._servers("retention"), **_keys(folder)})
        self.suggestion = Service(
            "suggestion",
            folder,
            self.callers,
            {
                **self._servers("suggestion"),
                "PELLICULE_S3_ENDPOINT": f"http://{objects.address}",
                "PELLICULE_S3_ACCESS_KEY": objects.identity("suggestion").access_key,
                "PELLICULE_S3_SECRET_KEY": objects.identity("suggestion").secret_key,
                "PELLICULE_RETENTION_TARGET": self.retention.internal,
                "PELLICULE_ANALYSIS_TARGET": address,
                "PELLICULE_QUIET_SECONDS": "0.2",
                "PELLICULE_JOURNAL_DIR": str(folder / "journal"),
            },
        )
        self._revision = 0

    async def start(self) -> None:
        await self.retention.start()
        await self.analysis.start()
        await self.suggestion.start()
        self._media_keys = RetentionKeyring(await self._retention_as("ingest"), SystemClock())
        self._purposes = RetentionPurposeKeys(await self._retention_as("consent"))
        self._erasures = RetentionErasures(await self._retention_as("ingest"))
        self.renditions = await self._stack.enter_async_context(S3ObjectStore(self._object_settings()))
        self._bus = await self._bus_as("analysis")
        await self._bus.ensure_stream("ANALYSIS", ["pellicule.internal.analysis.v1.>"])

    async def close(self) -> None:
        await self.suggestion.stop()
        await self.analysis.stop()
        await self.retention.stop()

    async def person(self, *purposes: str) -> Person:
        """Return somebody new who has granted these purposes, all that suggestions need by default."""
        name = f"person-{uuid4()}"
        files = self.callers.authority.issue("phone")
        channel = grpc.aio.secure_channel(self.suggestion.public, grpc.ssl_channel_credentials(files.ca.read_bytes()))
        await self._stack.enter_async_context(channel)
        person = Person(name, self.callers.pseudonym(name), channel, grpc.aio.Metadata(*self.callers.bearer(name)))
        await self.grant(person, *(purposes or ALL_PURPOSES))
        return person

    async def service_acting_for(self, person: Person, service: str) -> Person:
        """Return the person as another service calls on their behalf."""
        channel = open_channel(
            self.suggestion.internal, certificates_of(self.callers.settings(service)), service="suggestion"
        )
        await self._stack.enter_async_context(channel)
        return Person(person.name, person.subject, channel, acting_for(person.subject))

    async def grant(self, person: Person, *purposes: str) -> None:
        """Grants purposes as the consent service does."""
        self._revision += 1
        now = datetime.now(UTC)
        for purpose in purposes:
            await self._purposes.grant(
                subject=person.subject,
                purpose=purpose,
                revision=self._revision,
                expire_time=now + timedelta(days=180),
                decide_time=now,
            )

    async def withdraw(self, person: Person, *purposes: str) -> None:
        """Withdraws purposes; returns when their keys are destroyed."""
        self._revision += 1
        await self._purposes.destroy(subject=person.subject, purposes=purposes, revision=self._revision)
        if "CLOUD_PROCESSING" in purposes:
            self.analysis.refused.add(person.subject)

    async def photos(self, person: Person, count: int = 5, start: datetime = TAKEN) -> list[str]:
        """Brings a moment in: its media have keys, and are understood."""
        return [await self.photo(person, entry_of(n, start + timedelta(minutes=5 * n))) for n in range(count)]

    async def photo(self, person: Person, entry: library_service_pb2.LibraryEntry) -> str:
        analysis = entry.analysis
        until = analysis.delete_time.ToDatetime(UTC)
        await self._media_keys.create(
            subject=person.subject, purpose="CLOUD_PROCESSING", keys=[NewDataKey(until, (analysis.media,))]
        )
        self.analysis.understand(person.subject, entry)
        return analysis.media

    async def announce(self, person: Person, media: str) -> None:
        """Publish that a media was understood."""
        message = media_analyzed_pb2.MediaAnalyzed(
            subject=person.subject, media=media, state=analysis_pb2.ANALYSIS_STATE_DONE
        )
        await self._bus.publish(OutgoingEvent(message.DESCRIPTOR.full_name, media, message.SerializeToString()))

    async def erase(self, person: Person, media: str) -> None:
        """Erases a media; returns when its keys are destroyed."""
        self.analysis.forget(person.subject, media)
        await self._erasures.erase_media(subject=person.subject, media=media, request_id=uuid4())

    async def rows(self, query: str, *values: object) -> Sequence[tuple[object, ...]]:
        """Look into the service's database."""
        async with await psycopg.AsyncConnection.connect(self._postgres.url("suggestion")) as connection:
            return await (await connection.execute(query.encode(), values)).fetchall()

    async def objects_of(self, person: Person) -> list[str]:
        """Return the names of the person's objects, as the rows have them."""
        query = "SELECT object FROM rendition r JOIN suggestion s ON s.id = r.suggestion_id WHERE s.subject = %s"
        return [str(name) for (name,) in await self.rows(query, person.subject)]

    async def objects(self) -> set[str]:
        """Return the names of all objects that are there."""
        return {name async for name in self.renditions.list("renditions")}

    async def hear(self, user: str = "ingest") -> Bus:
        """Return the bus as another service hears it."""
        return await self._bus_as(user)

    async def _bus_as(self, user: str) -> Bus:
        settings = BusSettings(nats_url=SecretStr(self._nats.url(user)))
        return await self._stack.enter_async_context(connect_bus(settings))

    async def _retention_as(self, service: str) -> grpc.aio.Channel:
        channel = open_channel(
            self.retention.internal, certificates_of(self.callers.settings(service)), service="retention"
        )
        return await self._stack.enter_async_context(channel)

    def _servers(self, service: str) -> dict[str, str]:
        return {
            "PELLICULE_DATABASE_URL": self._postgres.url(service),
            "PELLICULE_NATS_URL": self._nats.url(service),
        }

    def _object_settings(self) -> ObjectStoreSettings:
        identity = self._seaweed.identity("suggestion")
        return ObjectStoreSettings(
            s3_endpoint=f"http://{self._seaweed.address}",
            s3_access_key=identity.access_key,
            s3_secret_key=SecretStr(identity.secret_key),
        )


@asynccontextmanager
async def running_harness(folder: Path) -> AsyncIterator[Harness]:
    """Run PostgreSQL, NATS, SeaweedFS, retention and suggestion for the time of the block."""
    async with AsyncExitStack() as stack:
        postgres = await stack.enter_async_context(postgres_server(folder, ["retention", "suggestion"]))
        nats = await stack.enter_async_context(nats_server(folder, ["retention", "suggestion", "analysis", "ingest"]))
        objects = await stack.enter_async_context(seaweedfs_server(folder))
        harness = Harness(folder, postgres, nats, objects, stack)
        stack.push_async_callback(harness.close)
        await harness.start()
        yield harness


def _keys(folder: Path) -> dict[str, str]:
    root_key = folder / "root.key"
    root_key.touch(mode=0o600)
    root_key.write_text(secrets.token_hex(32))
    return {
        "PELLICULE_ROOT_KEY_FILE": str(root_key),
        "PELLICULE_EPOCH_DIR": str(folder / "epochs"),
        "PELLICULE_JOURNAL_DIR": str(folder / "journal"),
    }
