"""The ingest and the retention service as processes of their own, on real servers, and those who call them."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import SecretStr

from deploy.local.parts.lifecycle import running
from deploy.local.parts.minio import MinioServer
from deploy.local.parts.nats import NatsServer
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.postgres import PostgresServer
from deploy.local.parts.seaweedfs import SeaweedServer
from deploy.local.parts.service import ServiceProcess
from pellicule.ingest.v1 import media_pb2, media_service_pb2, media_service_pb2_grpc
from services.chassis.channels import open_channel
from services.chassis.clock import SystemClock
from services.chassis.error_details import RemoteError, read_error
from services.chassis.settings import ObjectStoreSettings, TlsSettings
from services.chassis.tokens import jwks_document, mint_token, subject_pseudonym
from services.keyring.purpose_keys import RetentionPurposeKeys
from tests.fakes.certificates import FakeAuthority, certificates_of
from tests.unit.ingest.harness import pieces

ISSUER, AUDIENCE = "pellicule-local", "pellicule"
CALL_SECONDS = 60.0


@dataclass
class Servers:
    """The servers that the services need."""

    postgres: PostgresServer
    nats: NatsServer
    store: SeaweedServer | MinioServer


@dataclass
class Harness:
    """Two services that answer, and what is needed to call them."""

    folder: Path
    servers: Servers
    authority: FakeAuthority = field(init=False)
    subject_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    ports: dict[str, ReservedPort] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.authority = FakeAuthority(self.folder)
        self.issuer_key = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.folder / "jwks.json").write_text(jwks_document(self.issuer_key))
        for name, content in (("subject.key", self.subject_key), ("root.key", secrets.token_bytes(32))):
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_text(content.hex())
        names = ("ingest", "ingest-2", "retention")
        self.ports = {place: ReservedPort() for name in names for place in (name, f"{name}-mtls")}

    def service(self, name: str, settings: Mapping[str, str] | None = None, *, suffix: str = "") -> ServiceProcess:
        """Describe a service; with a suffix another process of it, at ports of its own."""
        files = self.authority.issue(name)
        place = name + suffix
        environment = {
            "PUBLIC_ADDRESS": self.ports[place].address,
            "INTERNAL_ADDRESS": self.ports[f"{place}-mtls"].address,
            "TLS_CA_FILE": str(files.ca),
            "TLS_CERT_FILE": str(files.certificate),
            "TLS_KEY_FILE": str(files.key),
            "TOKEN_JWKS_FILE": str(self.folder / "jwks.json"),
            "SUBJECT_KEY_FILE": str(self.folder / "subject.key"),
            "DATABASE_URL": self.servers.postgres.url(name),
            "NATS_URL": self.servers.nats.url(name),
            **(self._of_ingest() if name == "ingest" else self._of_retention()),
            **(settings or {}),
        }
        return ServiceProcess(
            name,
            folder=self.folder / place,
            log=self.folder / f"{place}.log",
            address=self.ports[place].address,
            environment={f"PELLICULE_{key}": value for key, value in environment.items()},
            authority=files.ca,
        )

    def object_settings(self) -> ObjectStoreSettings:
        identity = self.servers.store.identity("ingest")
        return ObjectStoreSettings(
            s3_endpoint=f"http://{self.servers.store.address}",
            s3_access_key=identity.access_key,
            s3_secret_key=SecretStr(identity.secret_key),
        )

    def tls(self, name: str) -> TlsSettings:
        files = self.authority.issue(name)
        return TlsSettings(tls_ca_file=files.ca, tls_cert_file=files.certificate, tls_key_file=files.key)

    def internal(self, name: str, to: str) -> grpc.aio.Channel:
        """Open a channel of a service to another's internal listener."""
        return open_channel(self.ports[f"{to}-mtls"].address, certificates_of(self.tls(name)), service=to)

    def public(self, to: str) -> grpc.aio.Channel:
        credentials = grpc.ssl_channel_credentials(self.authority.issue("phone").ca.read_bytes())
        return grpc.aio.secure_channel(self.ports[to].address, credentials)

    def token(self, person: str, ttl: timedelta = timedelta(minutes=10)) -> str:
        return mint_token(
            self.issuer_key,
            issuer=ISSUER,
            audience=AUDIENCE,
            subject=person,
            ttl=ttl,
            clock=SystemClock(),
        )

    def pseudonym(self, person: str) -> str:
        return subject_pseudonym(self.subject_key, ISSUER, person)

    def close(self) -> None:
        for port in self.ports.values():
            port.close()

    def _of_ingest(self) -> Mapping[str, str]:
        objects = self.object_settings()
        return {
            "S3_ENDPOINT": objects.s3_endpoint,
            "S3_ACCESS_KEY": objects.s3_access_key,
            "S3_SECRET_KEY": objects.s3_secret_key.get_secret_value(),
            "RETENTION_TARGET": self.ports["retention-mtls"].address,
            "JOURNAL_DIR": str(self.folder / "journal"),
        }

    def _of_retention(self) -> Mapping[str, str]:
        return {
            "ROOT_KEY_FILE": str(self.folder / "root.key"),
            "EPOCH_DIR": str(self.folder / "epochs"),
            "JOURNAL_DIR": str(self.folder / "journal"),
        }


@asynccontextmanager
async def running_harness(folder: Path, servers: Servers, **settings: str) -> AsyncIterator[Harness]:
    """Run retention, then ingest with further settings, for as long as the block lasts."""
    harness = Harness(folder, servers)
    async with AsyncExitStack() as stack:
        stack.callback(harness.close)
        await stack.enter_async_context(running(harness.service("retention")))
        await stack.enter_async_context(running(harness.service("ingest", settings)))
        yield harness


class Phone:
    """A person's phone: a token, a channel, and what the person decides about consent."""

    def __init__(self, harness: Harness, channel: grpc.aio.Channel, consent: grpc.aio.Channel) -> None:
        self.harness = harness
        self.person = f"person-{uuid4()}"
        self.stub = media_service_pb2_grpc.MediaServiceStub(channel)
        self.headers = (("authorization", f"Bearer {harness.token(self.person)}"),)
        self._consent = RetentionPurposeKeys(consent)
        self._revision = 0

    @property
    def subject(self) -> str:
        return self.harness.pseudonym(self.person)

    async def grant(self, *purposes: str, reach_back: datetime | None = None) -> None:
        for purpose in purposes:
            self._revision += 1
            now = datetime.now(UTC)
            await self._consent.grant(
                subject=self.subject,
                purpose=purpose,
                revision=self._revision,
                expire_time=now + timedelta(days=300),
                decide_time=now,
                reach_back_time=reach_back if purpose == "OLDER_MEDIA" else None,
            )

    async def withdraw(self, *purposes: str) -> None:
        self._revision += 1
        await self._consent.destroy(subject=self.subject, purposes=purposes, revision=self._revision)

    async def plan(self, *assets: media_pb2.AssetSummary, can_reduce: bool = True) -> dict[str, tuple[str, str]]:
        request = media_service_pb2.PlanUploadsRequest(assets=assets, can_reduce=can_reduce)
        reply = await self.stub.PlanUploads(request, metadata=self.headers, timeout=CALL_SECONDS)
        return {
            item.client_id: (
                media_pb2.PlanAction.Name(item.action).removeprefix("PLAN_ACTION_"),
                media_pb2.PlanReason.Name(item.reason).removeprefix("PLAN_REASON_"),
            )
            for item in reply.items
        }

    async def start(self, request: media_service_pb2.StartUploadRequest) -> media_pb2.Upload:
        return (await self.stub.StartUpload(request, metadata=self.headers, timeout=CALL_SECONDS)).upload

    async def send(self, upload: str, *chunks: bytes, offset: int = 0) -> media_service_pb2.UploadMediaResponse:
        header = media_service_pb2.UploadHeader(upload=upload, offset=offset)
        return await self._stream(header, chunks)

    async def upload(
        self,
        content: bytes,
        *,
        request_id: str | None = None,
        asset: media_pb2.AssetSummary | None = None,
        taken: datetime | None = None,
        **changes: object,
    ) -> media_pb2.Media:
        """Start an upload and send all of it in one call."""
        described = asset or summary(content, taken=taken, **changes)
        start = start_request(content, request_id=request_id, asset=described)
        header = media_service_pb2.UploadHeader(start=start)
        return (await self._stream(header, pieces(content))).media

    async def uploads(self, size: int = 0) -> Sequence[media_pb2.Upload]:
        request = media_service_pb2.ListUploadsRequest(page_size=size)
        return (await self.stub.ListUploads(request, metadata=self.headers, timeout=CALL_SECONDS)).uploads

    async def cancel(self, upload: str) -> None:
        request = media_service_pb2.CancelUploadRequest(name=upload)
        await self.stub.CancelUpload(request, metadata=self.headers, timeout=CALL_SECONDS)

    async def read(self, media: str, offset: int = 0) -> bytes:
        """Read a media; the header says what follows."""
        request = media_service_pb2.ReadMediaRequest(name=media, offset=offset)
        stream = self.stub.ReadMedia(request, metadata=self.headers, timeout=CALL_SECONDS)
        first, *chunks = [message async for message in stream]
        content = b"".join([message.chunk for message in chunks])
        assert (first.header.offset, first.header.size_bytes) == (offset, offset + len(content))
        return content

    async def batch(
        self, *items: media_service_pb2.BatchUploadMediaRequest
    ) -> list[media_service_pb2.BatchUploadMediaResponse]:
        """Send small files in one stream."""

        async def sent() -> AsyncIterator[media_service_pb2.BatchUploadMediaRequest]:
            for item in items:
                yield item

        return [
            answer async for answer in self.stub.BatchUploadMedia(sent(), metadata=self.headers, timeout=CALL_SECONDS)
        ]

    async def delete_batch(self, *media: str, request_id: str) -> Sequence[media_service_pb2.MediaDeletion]:
        request = media_service_pb2.BatchDeleteMediaRequest(names=media, request_id=request_id)
        return (await self.stub.BatchDeleteMedia(request, metadata=self.headers, timeout=CALL_SECONDS)).deletions

    async def get(self, media: str) -> media_pb2.Media:
        request = media_service_pb2.GetMediaRequest(name=media)
        return (await self.stub.GetMedia(request, metadata=self.headers, timeout=CALL_SECONDS)).media

    async def list(self, size: int = 0) -> list[str]:
        names, token = [], ""
        while True:
            request = media_service_pb2.ListMediaRequest(page_size=size, page_token=token)
            reply = await self.stub.ListMedia(request, metadata=self.headers, timeout=CALL_SECONDS)
            names += [media.name for media in reply.media]
            token = reply.next_page_token
            if not token:
                return names

    async def delete(self, media: str, request_id: str = "") -> str:
        request = media_service_pb2.DeleteMediaRequest(request_id=request_id or str(uuid4()), name=media)
        return (await self.stub.DeleteMedia(request, metadata=self.headers, timeout=CALL_SECONDS)).erasure.name

    async def _stream(
        self, header: media_service_pb2.UploadHeader, chunks: Sequence[bytes]
    ) -> media_service_pb2.UploadMediaResponse:
        return await self.stub.UploadMedia(messages(header, chunks), metadata=self.headers, timeout=CALL_SECONDS)


async def messages(
    header: media_service_pb2.UploadHeader, chunks: Sequence[bytes]
) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    yield media_service_pb2.UploadMediaRequest(header=header)
    for chunk in chunks:
        yield media_service_pb2.UploadMediaRequest(chunk=chunk)


def summary(content: bytes, *, taken: datetime | None = None, **changes: object) -> media_pb2.AssetSummary:
    capture_time = Timestamp()
    capture_time.FromDatetime(taken or datetime.now(UTC) - timedelta(days=2))
    described: dict[str, object] = {
        "client_id": uuid4().hex,
        "sha256": hashlib.sha256(content).digest(),
        "capture_time": capture_time,
        "size_bytes": len(content),
        "content_type": "image/jpeg",
        "file_name": "IMG_0001.jpg",
    }
    return media_pb2.AssetSummary(**{**described, **changes})  # type: ignore[arg-type]


def start_request(
    content: bytes,
    *,
    request_id: str | None = None,
    form: "media_pb2.MediaForm.ValueType" = media_pb2.MEDIA_FORM_ORIGINAL,
    asset: media_pb2.AssetSummary | None = None,
    taken: datetime | None = None,
    **changes: object,
) -> media_service_pb2.StartUploadRequest:
    return media_service_pb2.StartUploadRequest(
        request_id=str(uuid4()) if request_id is None else request_id,
        asset=asset or summary(content, taken=taken, **changes),
        form=form,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).digest(),
    )


def refusal(error: grpc.aio.AioRpcError) -> tuple[str, RemoteError]:
    """Return the code of a failed call and what its answer says."""
    return error.code().name, read_error(error)
