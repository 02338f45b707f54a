"""The journal in a bucket, on both S3 servers of a stack."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.parts.minio import minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.object_store import ADMINISTRATOR, make_buckets
from deploy.local.parts.seaweedfs import seaweedfs_server
from deploy.provision.object_store import Identity
from services.chassis.errors import DependencyUnavailable
from services.journal import Journal, JournalObjects, RevisionsReserved
from services.journal.bucket import JournalBucket
from services.journal.settings import JournalBucketSettings
from tests.contract.journal.objects_suite import JournalObjectsSuite
from tests.fakes.ports import free_port


def bucket_settings(address: str, administrator: Identity) -> JournalBucketSettings:
    bucket = f"journal-{uuid4()}"
    make_buckets(address, administrator, (bucket,))
    return JournalBucketSettings(
        journal_bucket=bucket,
        journal_s3_endpoint=f"http://{address}",
        journal_s3_access_key=administrator.access_key,
        journal_s3_secret_key=SecretStr(administrator.secret_key),
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Identity]]:
    async with seaweedfs_server(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server.address, server.identity(ADMINISTRATOR)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def minio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, Identity]]:
    if cached_minio() is None:
        pytest.skip("MinIO is not built here: `pellicule up --object-store minio` builds it once")
    async with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield server.address, server.identity(ADMINISTRATOR)


class BucketSuite(JournalObjectsSuite):
    async def test_a_journal_is_kept_in_it(self, objects: JournalObjects) -> None:
        journal = Journal(objects)
        await journal.begin()
        assert [record.number async for record in journal.since(None)] == [0]
        await journal.append([RevisionsReserved(5)])
        assert [record.entries async for record in Journal(objects).since(None)][1:] == [(RevisionsReserved(5),)]


class TestSeaweedFS(BucketSuite):
    @pytest.fixture
    def objects(self, seaweedfs: tuple[str, Identity]) -> JournalObjects:
        return JournalBucket(bucket_settings(*seaweedfs))


class TestMinIO(BucketSuite):
    @pytest.fixture
    def objects(self, minio: tuple[str, Identity]) -> JournalObjects:
        return JournalBucket(bucket_settings(*minio))


async def test_a_server_that_is_away_is_said_to_be() -> None:
    settings = JournalBucketSettings(
        journal_bucket="journal",
        journal_s3_endpoint=f"http://127.0.0.1:{free_port()}",
        journal_s3_access_key="key",
        journal_s3_secret_key=SecretStr("secret"),
    )
    with pytest.raises(DependencyUnavailable):
        await JournalBucket(settings).read(0)
