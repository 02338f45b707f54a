"""The real servers beneath, under TLS with certificates of an authority that a test gives."""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import urllib3
from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from deploy.local.parts.lifecycle import running
from deploy.local.parts.nats import PROBER, NatsServer
from deploy.local.parts.object_store import ADMINISTRATOR, REGION, new_identities
from deploy.local.parts.ports import ReservedPort
from deploy.local.parts.process import Command
from deploy.local.parts.seaweedfs import SeaweedPorts, SeaweedServer
from deploy.provision.object_store import Identity
from services.chassis.certificates.trust import trusting_context
from tests.fakes.certificates import CertificateFiles

BUCKET = "media"


class TlsNats(NatsServer):
    """A NATS server that lets no client in without TLS."""

    files: CertificateFiles

    def url(self, user: str) -> str:
        return super().url(user).replace("nats://", "tls://")

    def _config(self) -> Mapping[str, object]:
        tls = {"cert_file": str(self.files.certificate), "key_file": str(self.files.key)}
        return {**super()._config(), "tls": tls}

    def _trust(self) -> ssl.SSLContext:
        return trusting_context(self.files.ca)


class TlsSeaweed(SeaweedServer):
    """A SeaweedFS server whose S3 gateway speaks HTTPS."""

    files: CertificateFiles

    def _command(self) -> Command:
        command = super()._command()
        tls = (f"-s3.cert.file={self.files.certificate}", f"-s3.key.file={self.files.key}")
        return replace(command, arguments=(*command.arguments, *tls))

    async def probe(self) -> bool:
        try:
            self.client(self.identity(ADMINISTRATOR)).list_buckets()
        except (MinioException, HTTPError, OSError):
            return False
        return True

    async def provision(self) -> None:
        client = self.client(self.identity(ADMINISTRATOR))
        for bucket in (BUCKET, "journal"):
            if not client.bucket_exists(bucket):
                client.make_bucket(bucket)

    def client(self, identity: Identity) -> Minio:
        return Minio(
            self.address,
            access_key=identity.access_key,
            secret_key=identity.secret_key,
            region=REGION,
            http_client=urllib3.PoolManager(ca_certs=str(self.files.ca), retries=False),
        )


@asynccontextmanager
async def tls_nats(folder: Path, files: CertificateFiles, users: Sequence[str]) -> AsyncIterator[TlsNats]:
    port = ReservedPort()
    passwords = dict.fromkeys((*users, PROBER), "a-password")
    server = TlsNats(data=folder / "nats", log=folder / "nats.log", port=port.number, passwords=passwords)
    server.files = files
    try:
        async with running(server):
            yield server
    finally:
        port.close()


@asynccontextmanager
async def tls_seaweed(folder: Path, files: CertificateFiles) -> AsyncIterator[TlsSeaweed]:
    reserved = [ReservedPort() for _ in SeaweedPorts.__dataclass_fields__]
    server = TlsSeaweed(
        data=folder / "seaweedfs",
        log=folder / "seaweedfs.log",
        ports=SeaweedPorts(*(port.number for port in reserved)),
        identities=new_identities(),
        signing_key="a key that signs",
    )
    server.files = files
    try:
        async with running(server):
            yield server
    finally:
        for port in reserved:
            port.close()


async def _ignore(error: Exception) -> None:
    """Pass it over."""
