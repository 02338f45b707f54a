"""PostgreSQL, NATS and S3 under TLS: the right authority lets in, the wrong one is refused by the setting's name."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from nats.js.api import StreamConfig
from pydantic import SecretStr

from services.chassis import database
from services.chassis.certificates.files import CertificateRefused
from services.chassis.certificates.trust import ServerNotTrusted
from services.chassis.database import migrate, open_pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.listener import listen
from services.chassis.messaging.bus import connect_bus
from services.chassis.object_store import S3ObjectStore
from services.chassis.settings import BusSettings, DatabaseSettings, ObjectStoreSettings
from services.journal import Journal
from services.journal.bucket import JournalBucket
from services.journal.settings import JournalBucketSettings
from tests.fakes.certificates import CertificateFiles, FakeAuthority
from tests.fakes.streams import listening
from tests.integration.chassis.tls_postgres import SYSTEM, fronted_postgres, system_postgres
from tests.integration.chassis.tls_servers import (
    BUCKET,
    TlsNats,
    TlsSeaweed,
    tls_nats,
    tls_seaweed,
)
from tests.integration.eventually import eventually

SERVICE = "ingest"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """Return the certificate of the servers, with their authority."""
    return FakeAuthority(tmp_path_factory.mktemp("authority")).issue("server")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return FakeAuthority(tmp_path_factory.mktemp("stranger")).issue("server")


@pytest.fixture(params=[fronted_postgres, system_postgres])
async def postgres_url(
    request: pytest.FixtureRequest, files: CertificateFiles, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    if request.param is system_postgres and SYSTEM is None:
        pytest.skip("this machine has no PostgreSQL of its own")
    async with request.param(tmp_path_factory.mktemp("postgres"), files, SERVICE) as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nats(files: CertificateFiles, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TlsNats]:
    async with tls_nats(tmp_path_factory.mktemp("nats"), files, [SERVICE]) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seaweedfs(files: CertificateFiles, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TlsSeaweed]:
    async with tls_seaweed(tmp_path_factory.mktemp("seaweedfs"), files) as server:
        yield server


class TestPostgres:
    async def test_rows_and_notifications_come_and_migrations_go_under_tls(
        self, postgres_url: str, files: CertificateFiles, tmp_path: Path
    ) -> None:
        settings = under_tls(postgres_url, files.ca)
        await eventually(lambda: is_ready(settings, tmp_path))
        async with open_pool(settings) as pool, pool.connection() as connection:
            assert connection.pgconn.ssl_in_use
        told = listen(settings.database_url.get_secret_value(), "news")
        assert await anext(told) == ()
        await told.aclose()

    async def test_another_authority_is_refused_by_the_settings_name(
        self, postgres_url: str, stranger: CertificateFiles, tmp_path: Path
    ) -> None:
        settings = under_tls(postgres_url, stranger.ca)
        with pytest.raises(ServerNotTrusted, match="PELLICULE_DATABASE_URL"):
            await migrate(settings, no_migrations(tmp_path))
        with pytest.raises(ServerNotTrusted, match="PELLICULE_DATABASE_URL"):
            async with open_pool(settings):
                pass


class TestNats:
    async def test_events_are_kept_under_tls(self, nats: TlsNats, files: CertificateFiles) -> None:
        async with connect_bus(bus_settings(nats, files.ca)) as bus:
            await bus.ensure_stream("INGEST", ["pellicule.internal.ingest.v1.>"])
            found = await bus.jetstream.stream_info("INGEST")
        assert isinstance(found.config, StreamConfig)

    async def test_another_authority_is_refused_at_once_by_the_settings_name(
        self, nats: TlsNats, stranger: CertificateFiles
    ) -> None:
        with pytest.raises(ServerNotTrusted, match="PELLICULE_NATS_CA_FILE"):
            async with asyncio.timeout(10), connect_bus(bus_settings(nats, stranger.ca)):
                pass

    async def test_renewed_authorities_hold_at_the_next_connection(
        self, nats: TlsNats, files: CertificateFiles, stranger: CertificateFiles, tmp_path: Path
    ) -> None:
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(stranger.ca.read_bytes())
        with pytest.raises(ServerNotTrusted):
            async with connect_bus(bus_settings(nats, bundle)):
                pass
        bundle.write_bytes(stranger.ca.read_bytes() + files.ca.read_bytes())
        async with connect_bus(bus_settings(nats, bundle)) as bus:
            assert bus.connected

    async def test_a_file_that_holds_no_authority_is_refused_by_its_name(self, nats: TlsNats, tmp_path: Path) -> None:
        (tmp_path / "empty.pem").touch()
        with pytest.raises(CertificateRefused, match=r"empty\.pem"):
            async with connect_bus(bus_settings(nats, tmp_path / "empty.pem")):
                pass

    async def test_who_speaks_no_tls_in_its_place_is_told_no_password(self) -> None:
        heard, over = bytearray(), asyncio.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            info = {"server_id": "x", "version": "2.10.0", "max_payload": 1 << 20, "proto": 1}
            writer.write(b"INFO " + json.dumps(info).encode() + b"\r\n")
            heard.extend(await reader.read())
            writer.close()
            over.set()

        async with listening(answer) as port:
            settings = BusSettings(nats_url=SecretStr(f"tls://ingest:secret@127.0.0.1:{port}"))
            with pytest.raises(DependencyUnavailable, match="PELLICULE_NATS_URL"):
                async with asyncio.timeout(10), connect_bus(settings):
                    pass
            await over.wait()
        assert heard == b""


class TestObjectStore:
    async def test_objects_come_and_go_under_tls(self, seaweedfs: TlsSeaweed, files: CertificateFiles) -> None:
        async with S3ObjectStore(store_settings(seaweedfs, files.ca)) as store:
            await store.put(BUCKET, "name", b"sealed")
            assert await store.get(BUCKET, "name") == b"sealed"

    async def test_the_journal_is_kept_under_tls(self, seaweedfs: TlsSeaweed, files: CertificateFiles) -> None:
        journal = Journal(JournalBucket(journal_settings(seaweedfs, files.ca)))
        await journal.begin()
        assert [record.number async for record in journal.since(None)] == [0]

    async def test_another_authority_is_refused_by_the_settings_name(
        self, seaweedfs: TlsSeaweed, stranger: CertificateFiles
    ) -> None:
        async with S3ObjectStore(store_settings(seaweedfs, stranger.ca)) as store:
            with pytest.raises(ServerNotTrusted, match="PELLICULE_S3_CA_FILE"):
                await store.get(BUCKET, "name")
            with pytest.raises(ServerNotTrusted, match="PELLICULE_S3_CA_FILE"):
                await store.put(BUCKET, "name", b"sealed")
        with pytest.raises(ServerNotTrusted, match="PELLICULE_S3_CA_FILE"):
            await JournalBucket(journal_settings(seaweedfs, stranger.ca)).read(0)

    async def test_renewed_authorities_hold_at_the_next_connection(
        self, seaweedfs: TlsSeaweed, files: CertificateFiles, stranger: CertificateFiles, tmp_path: Path
    ) -> None:
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(stranger.ca.read_bytes())
        async with S3ObjectStore(store_settings(seaweedfs, bundle)) as store:
            with pytest.raises(ServerNotTrusted):
                await store.put(BUCKET, "name", b"sealed")
            bundle.write_bytes(stranger.ca.read_bytes() + files.ca.read_bytes())
            await store.put(BUCKET, "name", b"sealed")


def under_tls(url: str, ca: Path) -> DatabaseSettings:
    return DatabaseSettings(database_url=SecretStr(f"{url}?sslmode=verify-full&sslrootcert={quote(str(ca))}"))


def no_migrations(folder: Path) -> Path:
    (folder / "migrations").mkdir(exist_ok=True)
    (folder / "migrations" / "20990101000000_none.sql").write_text("-- migrate:up\n-- migrate:down\n")
    return folder / "migrations"


async def is_ready(settings: DatabaseSettings, folder: Path) -> bool:
    """Migrate once the server has read its configuration again."""
    try:
        await migrate(settings, no_migrations(folder))
    except database.MigrationFailed:
        return False
    return True


def bus_settings(server: TlsNats, ca: Path) -> BusSettings:
    return BusSettings(nats_url=SecretStr(server.url(SERVICE)), nats_ca_file=ca)


def store_settings(server: TlsSeaweed, ca: Path) -> ObjectStoreSettings:
    identity = server.identity(SERVICE)
    return ObjectStoreSettings(
        s3_endpoint=f"https://{server.address}",
        s3_access_key=identity.access_key,
        s3_secret_key=SecretStr(identity.secret_key),
        s3_ca_file=ca,
    )


def journal_settings(server: TlsSeaweed, ca: Path) -> JournalBucketSettings:
    identity = server.identity("administrator")
    return JournalBucketSettings(
        journal_bucket="journal",
        journal_s3_endpoint=f"https://{server.address}",
        journal_s3_access_key=identity.access_key,
        journal_s3_secret_key=SecretStr(identity.secret_key),
        s3_ca_file=ca,
    )
