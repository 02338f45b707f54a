"""Real servers, with the retention and the analysis service as processes, and those who use them.

What ingest and consent do is done here by hand, as their contracts say: media are sealed, stored and announced;
purposes are granted and withdrawn.
"""

import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import grpc
import psutil
import psycopg
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from pydantic import SecretStr

from deploy.local.models import shipped_models
from deploy.local.parts.lifecycle import bring_up, sweep
from deploy.local.parts.nats import NatsServer, nats_server
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.postgres import PostgresServer, postgres_server
from deploy.local.parts.process import ServerProcess
from deploy.local.parts.seaweedfs import SeaweedServer, seaweedfs_server
from deploy.local.parts.service import ServiceProcess
from deploy.local.parts.triton import TritonPorts, TritonServer, new_shared_memory_prefix
from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2, analysis_service_pb2_grpc
from pellicule.internal.analysis.v1 import library_service_pb2, library_service_pb2_grpc
from pellicule.internal.consent.v1 import consent_changed_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from pellicule.type.v1 import purpose_pb2
from services.chassis.channels import acting_for, open_channel
from services.chassis.clock import SystemClock
from services.chassis.messaging.bus import Bus, connect_bus
from services.chassis.messaging.events import OutgoingEvent
from services.chassis.object_store import S3ObjectStore, random_name
from services.chassis.seal import seal_bytes, seal_object
from services.chassis.settings import BusSettings, ObjectStoreSettings
from services.keyring import NewDataKey
from services.keyring.client import RetentionKeyring
from services.keyring.erasure_client import RetentionErasures
from services.keyring.purpose_keys import RetentionPurposeKeys
from tests.fakes.certificates import certificates_of
from tests.fakes.ports import free_port
from tests.integration.retention.harness import Callers

LOOPBACK = "127.0.0.1"
USERS = ("retention", "analysis", "ingest", "consent", "suggestion")


@dataclass(frozen=True)
class Servers:
    """The servers that all share."""

    postgres: PostgresServer
    nats: NatsServer
    objects: SeaweedServer
    triton: "Triton"
    callers: Callers


@asynccontextmanager
async def running_servers(folder: Path) -> AsyncIterator[Servers]:
    """Run PostgreSQL, NATS, SeaweedFS and Triton for the time of the block."""
    async with AsyncExitStack() as stack:
        callers = folder / "callers"
        callers.mkdir()
        yield Servers(
            postgres=await stack.enter_async_context(postgres_server(folder, ["retention", "analysis"])),
            nats=await stack.enter_async_context(nats_server(folder, list(USERS))),
            objects=await stack.enter_async_context(seaweedfs_server(folder)),
            triton=await stack.enter_async_context(Triton(folder)),
            callers=Callers(callers),
        )


class Triton:
    """An inference server of which the model processes can be killed, and which can be started again."""

    def __init__(self, folder: Path) -> None:
        self._reserved = [ReservedPort(), ReservedPort()]
        self._part = TritonServer(
            data=folder / "triton",
            log=folder / "triton.log",
            ports=TritonPorts(*(port.number for port in self._reserved)),
            models=lambda: shipped_models(folder / "repository"),
            shared_memory_prefix=new_shared_memory_prefix(),
        )
        self.address = self._part.address

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.stop()
        for port in self._reserved:
            port.close()

    async def start(self) -> None:
        self._process = await bring_up(self._part)

    async def stop(self) -> None:
        await self._process.stop()
        sweep(self._part.litter())

    def kill_models(self) -> None:
        """Kills the model processes; the server goes on, says that it is ready, and fails every request."""
        for model in psutil.Process(self._process.pid).children(recursive=True):
            model.kill()


class Service:
    """One of the project's services, as a process that can be killed."""

    def __init__(self, name: str, servers: Servers, folder: Path, extra: Mapping[str, str]) -> None:
        self.public = f"{LOOPBACK}:{free_port()}"
        self.internal = f"{LOOPBACK}:{free_port()}"
        self.log = folder / f"{name}.log"
        files = servers.callers.authority.issue(name)
        self._part = ServiceProcess(
            name,
            folder=folder / name,
            log=self.log,
            address=self.public,
            authority=files.ca,
            environment={
                "PATH": os.environ["PATH"],
                "PELLICULE_PUBLIC_ADDRESS": self.public,
                "PELLICULE_INTERNAL_ADDRESS": self.internal,
                "PELLICULE_TLS_CA_FILE": str(files.ca),
                "PELLICULE_TLS_CERT_FILE": str(files.certificate),
                "PELLICULE_TLS_KEY_FILE": str(files.key),
                "PELLICULE_TOKEN_JWKS_FILE": str(servers.callers.folder / "jwks.json"),
                "PELLICULE_SUBJECT_KEY_FILE": str(servers.callers.folder / "subject.key"),
                "PELLICULE_DATABASE_URL": servers.postgres.url(name),
                "PELLICULE_NATS_URL": servers.nats.url(name),
                **extra,
            },
        )
        self._process: ServerProcess | None = None

    async def start(self) -> None:
        self._process = await bring_up(self._part)

    async def stop(self) -> None:
        """Stop it as an operator does."""
        if self._process is not None:
            await self._process.stop()
            self._process = None

    async def kill(self) -> None:
        """End it without a word."""
        if self._process is not None:
            os.kill(self._process.pid, 9)
            await self._process.stop()
            self._process = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("it does not run")
        return self._process.pid


class Harness:
    """What the tests stand on."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self.retention = Service("retention", servers, folder, _retention_settings(folder))
        self.analysis = Service("analysis", servers, folder, _analysis_settings(servers, self.retention, folder))
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        """Start retention and the connections of those who use it; analysis is started by the test."""
        await self.retention.start()
        self._ingest_keys = RetentionKeyring(await self._retention_as("ingest"), SystemClock())
        self._purposes = RetentionPurposeKeys(await self._retention_as("consent"))
        self._erasures = RetentionErasures(await self._retention_as("ingest"))
        self._objects = await self._stack.enter_async_context(S3ObjectStore(self._object_settings("ingest")))
        self.previews = await self._stack.enter_async_context(S3ObjectStore(self._object_settings("analysis")))
        self._ingest_bus = await self._bus("ingest", "INGEST")
        self._consent_bus = await self._bus("consent", "CONSENT")
        await self._objects.ensure_bucket("media")
        self._revision = 0

    async def close(self) -> None:
        await self.analysis.stop()
        await self._stack.aclose()
        await self.retention.stop()

    def subject(self, person: str) -> str:
        return self.servers.callers.pseudonym(person)

    async def grant(self, person: str, *purposes: str, tell: bool = True) -> None:
        """Grants purposes as the consent service does; `tell` is whether its event arrives."""
        self._revision += 1
        now = datetime.now(UTC)
        for purpose in purposes:
            await self._purposes.grant(
                subject=self.subject(person),
                purpose=purpose,
                revision=self._revision,
                expire_time=now + timedelta(days=180),
                decide_time=now,
            )
        if tell:
            message = consent_changed_pb2.ConsentChanged(
                subject=self.subject(person),
                revision=self._revision,
                granted=[purpose_pb2.Purpose.Value(f"PURPOSE_{purpose}") for purpose in purposes],
            )
            await self._consent_bus.publish(_event(message, f"consent/{self._revision}"))

    async def withdraw(self, person: str, *purposes: str) -> None:
        """Withdraws purposes; returns when their keys are destroyed."""
        self._revision += 1
        await self._purposes.destroy(subject=self.subject(person), purposes=purposes, revision=self._revision)

    async def erase(self, person: str, media: str) -> None:
        """Erases a media; returns when its keys are destroyed."""
        await self._erasures.erase_media(subject=self.subject(person), media=media, request_id=uuid4())

    async def store(
        self,
        person: str,
        data: bytes,
        *,
        purpose: str = "CLOUD_PROCESSING",
        metadata: media_stored_pb2.MediaMetadata | None = None,
        tamper: bool = False,
        announce: bool = True,
        replaces: media_stored_pb2.MediaStored | None = None,
    ) -> media_stored_pb2.MediaStored:
        """Seals, store and announces a file as ingest does; return the announcement."""
        name = f"media/{uuid4()}" if replaces is None else replaces.media
        until = datetime.now(UTC) + timedelta(days=20)
        (key,) = await self._ingest_keys.create(
            subject=self.subject(person), purpose=purpose, keys=[NewDataKey(until, (name,))]
        )
        sealed = seal_object(key.key, data, f"{key.id}|{purpose}".encode())
        if tamper:
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        half = len(sealed) // 2
        about = (metadata or media_stored_pb2.MediaMetadata(width=640, height=480, orientation=1)).SerializeToString()
        message = media_stored_pb2.MediaStored(
            media=name,
            subject=self.subject(person),
            purpose=purpose_pb2.Purpose.Value(f"PURPOSE_{purpose}"),
            data_key_id=key.id,
            purpose_revision=key.purpose_revision,
            sealed_metadata=seal_bytes(key.key, about, f"{key.id}|metadata".encode()),
            metadata_revision=1 if replaces is None else replaces.metadata_revision + 1,
        )
        message.delete_time.FromDatetime(until)
        for part in (sealed[:half], sealed[half:]):
            segment = message.segments.add(object=random_name(), size_bytes=len(part))
            await self._objects.put("media", segment.object, part)
        if announce:
            await self.announce(message)
        return message

    async def update(
        self, stored: media_stored_pb2.MediaStored, revision: int = 2, *, favorite: bool = False, hidden: bool = False
    ) -> None:
        """Publish what the owner changed of a media, as ingest does."""
        (key,) = (
            await self._ingest_keys.open(subject=stored.subject, purpose="CLOUD_PROCESSING", ids=[stored.data_key_id])
        ).values()
        about = media_stored_pb2.MediaMetadata(width=640, height=480, orientation=1, favorite=favorite, hidden=hidden)
        metadata = about.SerializeToString()
        message = media_stored_pb2.MediaUpdated(
            media=stored.media,
            subject=stored.subject,
            data_key_id=stored.data_key_id,
            sealed_metadata=seal_bytes(key, metadata, f"{stored.data_key_id}|metadata".encode()),
            metadata_revision=revision,
        )
        await self._ingest_bus.publish(_event(message, stored.media))

    async def announce(self, message: media_stored_pb2.MediaStored) -> None:
        """Publish the event of a stored media, each time as a new one."""
        await self._ingest_bus.publish(_event(message, message.media))

    async def as_person(self, person: str) -> "Reader":
        files = self.servers.callers.authority.issue("phone")
        channel = grpc.aio.secure_channel(self.analysis.public, grpc.ssl_channel_credentials(files.ca.read_bytes()))
        await self._stack.enter_async_context(channel)
        return Reader(channel, grpc.aio.Metadata(*self.servers.callers.bearer(person)))

    async def as_suggestion(self, person: str) -> "Reader":
        channel = open_channel(
            self.analysis.internal, certificates_of(self.servers.callers.settings("suggestion")), service="analysis"
        )
        await self._stack.enter_async_context(channel)
        return Reader(channel, acting_for(self.subject(person)))

    async def rows(self, query: str) -> Sequence[tuple[object, ...]]:
        """Look into the service's database."""
        async with await psycopg.AsyncConnection.connect(self.servers.postgres.url("analysis")) as connection:
            cursor = await connection.execute(query.encode())
            return await cursor.fetchall()

    async def _retention_as(self, service: str) -> grpc.aio.Channel:
        channel = open_channel(
            self.retention.internal, certificates_of(self.servers.callers.settings(service)), service="retention"
        )
        return await self._stack.enter_async_context(channel)

    async def _bus(self, service: str, stream: str) -> Bus:
        settings = BusSettings(nats_url=SecretStr(self.servers.nats.url(service)))
        bus = await self._stack.enter_async_context(connect_bus(settings))
        await bus.ensure_stream(stream, [f"pellicule.internal.{service}.v1.>"])
        return bus

    def _object_settings(self, service: str) -> ObjectStoreSettings:
        identity = self.servers.objects.identity(service)
        return ObjectStoreSettings(
            s3_endpoint=f"http://{self.servers.objects.address}",
            s3_access_key=identity.access_key,
            s3_secret_key=SecretStr(identity.secret_key),
        )


class Reader:
    """The analysis service as somebody sees it."""

    def __init__(self, channel: grpc.aio.Channel, headers: grpc.aio.Metadata) -> None:
        self.stub = analysis_service_pb2_grpc.AnalysisServiceStub(channel)
        self.library_stub = library_service_pb2_grpc.LibraryServiceStub(channel)
        self.headers = headers

    async def get(self, media: str, *, language: str = "") -> analysis_pb2.Analysis:
        request = analysis_service_pb2.GetAnalysisRequest(name=f"{media}/analysis", language_code=language)
        return (await self.stub.GetAnalysis(request, metadata=self.headers)).analysis

    async def everything(self, *, page_size: int = 100, **wanted: Any) -> list[analysis_pb2.Analysis]:
        found: list[analysis_pb2.Analysis] = []
        token = ""
        while True:
            request = analysis_service_pb2.ListAnalysesRequest(page_size=page_size, page_token=token, **wanted)
            page = await self.stub.ListAnalyses(request, metadata=self.headers)
            found += page.analyses
            token = page.next_page_token
            if not token:
                return found

    async def library(self, *, page_size: int = 100) -> list[library_service_pb2.LibraryEntry]:
        """Return what only services get."""
        found: list[library_service_pb2.LibraryEntry] = []
        token = ""
        while True:
            request = library_service_pb2.ListLibraryRequest(page_size=page_size, page_token=token)
            page = await self.library_stub.ListLibrary(request, metadata=self.headers)
            found += page.entries
            token = page.next_page_token
            if not token:
                return found

    async def preview(self, media: str, size: analysis_service_pb2.PreviewSize.ValueType, *, offset: int = 0) -> bytes:
        """Return the bytes that follow the header, which must tell the truth of them."""
        request = analysis_service_pb2.ReadPreviewRequest(media=media, size=size, offset=offset)
        replies = [reply async for reply in self.stub.ReadPreview(request, metadata=self.headers)]
        content, header = b"".join(reply.chunk for reply in replies), replies[0].header
        assert (header.content_type, header.offset) == ("image/jpeg", offset)
        assert header.size_bytes == offset + len(content)
        return content

    async def previews(
        self, media: Sequence[str], size: analysis_service_pb2.PreviewSize.ValueType
    ) -> list[tuple[str, bytes | str]]:
        """Return for each media its bytes, or the reason why there are none."""
        request = analysis_service_pb2.BatchReadPreviewsRequest(media=media, size=size)
        found: list[tuple[str, bytes | str]] = []
        async for reply in self.stub.BatchReadPreviews(request, metadata=self.headers):
            match reply.WhichOneof("content"):
                case "header":
                    found.append((reply.media, b""))
                case "chunk":
                    name, content = found.pop()
                    assert isinstance(content, bytes)
                    found.append((name, content + reply.chunk))
                case _:
                    info = error_details_pb2.ErrorInfo()
                    reply.error.details[0].Unpack(info)
                    found.append((reply.media, info.reason))
        return found

    def watch(self, **request: Any) -> "grpc.aio.UnaryStreamCall[Any, analysis_service_pb2.WatchAnalysesResponse]":
        """Return the change feed."""
        return self.stub.WatchAnalyses(analysis_service_pb2.WatchAnalysesRequest(**request), metadata=self.headers)

    async def changes(self, **request: Any) -> list[analysis_service_pb2.WatchAnalysesResponse]:
        """Return the change feed up to its checkpoint."""
        return [message async for message in self.watch(until_checkpoint=True, **request)]

    async def acknowledge(self, device: str, cursor: str) -> None:
        request = analysis_service_pb2.AcknowledgeAnalysisChangesRequest(device=device, cursor=cursor)
        await self.stub.AcknowledgeAnalysisChanges(request, metadata=self.headers)

    async def progress(self) -> tuple[int, int, int]:
        """Return how many are pending, done and parked."""
        reply = await self.stub.GetProgress(analysis_service_pb2.GetProgressRequest(), metadata=self.headers)
        return reply.pending_count, reply.done_count, reply.parked_count


def media_uuid(name: str) -> UUID:
    return UUID(name.removeprefix("media/"))


def _event(message: Message, subject: str) -> OutgoingEvent:
    return OutgoingEvent(message.DESCRIPTOR.full_name, subject, message.SerializeToString())


def _retention_settings(folder: Path) -> dict[str, str]:
    root_key = folder / "root.key"
    if not root_key.exists():
        root_key.touch(mode=0o600)
        root_key.write_text(secrets.token_hex(32))
    return {
        "PELLICULE_ROOT_KEY_FILE": str(root_key),
        "PELLICULE_EPOCH_DIR": str(folder / "epochs"),
        "PELLICULE_JOURNAL_DIR": str(folder / "journal"),
    }


def _analysis_settings(servers: Servers, retention: Service, folder: Path) -> dict[str, str]:
    identity = servers.objects.identity("analysis")
    return {
        "PELLICULE_S3_ENDPOINT": f"http://{servers.objects.address}",
        "PELLICULE_S3_ACCESS_KEY": identity.access_key,
        "PELLICULE_S3_SECRET_KEY": identity.secret_key,
        "PELLICULE_RETENTION_TARGET": retention.internal,
        "PELLICULE_TRITON_ADDRESS": servers.triton.address,
        "PELLICULE_SWEEP_SECONDS": "1",
        "PELLICULE_JOURNAL_DIR": str(folder / "journal"),
    }
