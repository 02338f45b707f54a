"""Looks of a service at its consumers and buckets, on real servers and with no more than the service's own rights."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography import x509
from pydantic import SecretStr

from deploy.local.parts.nats import nats_server
from deploy.local.parts.seaweedfs import seaweedfs_server
from deploy.ops.inside import consumers as consumers_module
from deploy.ops.inside.certificates import certificates
from deploy.ops.inside.looks import looks_of
from services.chassis.messaging.bus import connect_bus
from services.chassis.messaging.work import WorkStream, ensure_work_stream
from services.chassis.object_store import S3ObjectStore
from services.chassis.settings import BusSettings, ObjectStoreSettings
from tests.fakes.certificates import FakeAuthority

SERVICE = "analysis"
STREAM = WorkStream.of(SERVICE)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def nats(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with nats_server(tmp_path_factory.mktemp("nats"), [SERVICE]) as server:
        yield server.url(SERVICE)


async def test_what_waits_is_counted_and_a_consumer_that_is_missing_is_missing(
    nats: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PELLICULE_NATS_URL", nats)
    monkeypatch.setattr(consumers_module, "_SETTLE_SECONDS", 0)
    async with connect_bus(BusSettings(nats_url=SecretStr(nats))) as bus:
        await ensure_work_stream(bus, STREAM)
        await bus.jetstream.publish(STREAM.subject, b"hint")

    rows = {row["consumer"]: row for row in await looks_of(SERVICE)["consumers"]()}

    assert rows.keys() == {"analysis-purge", "analysis-media", "analysis-consent", STREAM.consumer}
    assert rows[STREAM.consumer]["waiting"] == 1
    assert 0 <= rows[STREAM.consumer]["idle_seconds"] < 60
    assert rows["analysis-purge"] == {
        "consumer": "analysis-purge", "stream": "RETENTION", "waiting": None, "idle_seconds": None
    }  # fmt: skip


async def test_a_bucket_says_after_how_many_days_it_deletes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with seaweedfs_server(tmp_path) as server:
        identity = server.identity(SERVICE)
        settings = ObjectStoreSettings(
            s3_endpoint=f"http://{server.address}",
            s3_access_key=identity.access_key,
            s3_secret_key=SecretStr(identity.secret_key),
        )
        async with S3ObjectStore(settings) as store:
            await store.ensure_bucket("previews", expire_days=7)
        monkeypatch.setenv("PELLICULE_S3_ENDPOINT", settings.s3_endpoint)
        monkeypatch.setenv("PELLICULE_S3_ACCESS_KEY", identity.access_key)
        monkeypatch.setenv("PELLICULE_S3_SECRET_KEY", identity.secret_key)

        seen = await looks_of(SERVICE)["buckets"]()

    assert seen == [{"bucket": "previews", "days": [7], "expected": 32}]


def test_the_certificate_that_is_mounted_says_when_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = FakeAuthority(tmp_path).issue(SERVICE)
    for name, file in (("CA", files.ca), ("CERT", files.certificate), ("KEY", files.key)):
        monkeypatch.setenv(f"PELLICULE_TLS_{name}_FILE", str(file))

    mounted = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    own, authority = certificates()

    assert (own["certificate"], authority["certificate"]) == ("own", "authority")
    assert datetime.fromisoformat(own["ends"]) == mounted.not_valid_after_utc
