from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from minio import Minio
from minio.commonconfig import ENABLED, Filter
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from pydantic import SecretStr

from deploy.local.parts.minio import minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.seaweedfs import seaweedfs_server
from deploy.provision.object_store import Identity
from services.chassis.errors import DependencyUnavailable
from services.chassis.object_store import ObjectStore, S3ObjectStore
from services.chassis.settings import ObjectStoreSettings
from tests.contract.chassis.object_store_suite import ObjectStoreSuite

BUCKET = "media"
SERVICE = "ingest"


def settings(address: str, identity: Identity) -> ObjectStoreSettings:
    return ObjectStoreSettings(
        s3_endpoint=f"http://{address}", s3_access_key=identity.access_key, s3_secret_key=SecretStr(identity.secret_key)
    )


def client(server: ObjectStoreSettings) -> Minio:
    address, secure = server.s3_endpoint.removeprefix("http://"), False
    return Minio(
        endpoint=address,
        access_key=server.s3_access_key,
        secret_key=server.s3_secret_key.get_secret_value(),
        secure=secure,
    )


def rule_days(server: ObjectStoreSettings, bucket: str) -> list[int | None]:
    rules = client(server).get_bucket_lifecycle(bucket)
    assert rules is not None
    return [rule.expiration.days if rule.expiration else None for rule in rules.rules]


def rewrite_rule(server: ObjectStoreSettings, bucket: str, days: int) -> None:
    rule = Rule(ENABLED, Filter(prefix=""), rule_id="another", expiration=Expiration(days=days))
    client(server).set_bucket_lifecycle(bucket, LifecycleConfig([rule]))


def empty(server: ObjectStoreSettings, bucket: str) -> None:
    for each in client(server).list_objects(bucket, recursive=True):
        client(server).remove_object(bucket, str(each.object_name))


def _levels_of(event: str, said: str) -> list[str]:
    """Return the levels of an event's lines, as the renderer of the tests writes them."""
    return [line.partition("[")[2].partition("]")[0].strip() for line in said.splitlines() if event in line]


class S3Suite(ObjectStoreSuite):
    @pytest.fixture
    def bucket(self) -> str:
        return BUCKET

    @pytest.fixture
    async def store(self, server: ObjectStoreSettings) -> AsyncIterator[ObjectStore]:
        async with S3ObjectStore(server) as store:
            yield store

    async def test_a_rule_that_was_changed_is_put_back_and_told(
        self, server: ObjectStoreSettings, bucket: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async with S3ObjectStore(server) as store:
            await store.ensure_bucket(bucket, expire_days=32)
            await store.ensure_bucket(bucket, expire_days=32)
            assert rule_days(server, bucket) == [32]
            quiet = capsys.readouterr().out
            empty(server, bucket)
            rewrite_rule(server, bucket, 400)
            await store.ensure_bucket(bucket, expire_days=32)
            harmless = capsys.readouterr().out
            await store.put(bucket, "held", b"sealed")
            rewrite_rule(server, bucket, 400)
            await store.ensure_bucket(bucket, expire_days=32)
        assert rule_days(server, bucket) == [32]
        told = [_levels_of("lifecycle_repaired", said) for said in (quiet, harmless, capsys.readouterr().out)]
        assert told == [[], ["info"], ["error"]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ObjectStoreSettings]:
    async with seaweedfs_server(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield settings(server.address, server.identity(SERVICE))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def minio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ObjectStoreSettings]:
    if cached_minio() is None:
        pytest.skip("MinIO is not built here: `pellicule up --object-store minio` builds it once")
    async with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield settings(server.address, server.identity(SERVICE))


class TestSeaweedFS(S3Suite):
    @pytest.fixture
    def server(self, seaweedfs: ObjectStoreSettings) -> ObjectStoreSettings:
        return seaweedfs


class TestMinIO(S3Suite):
    @pytest.fixture
    def server(self, minio: ObjectStoreSettings) -> ObjectStoreSettings:
        return minio


async def test_a_store_that_does_not_answer_is_unavailable() -> None:
    nowhere = settings("127.0.0.1:9", Identity("someone", "secret"))
    async with S3ObjectStore(nowhere) as store:
        with pytest.raises(DependencyUnavailable):
            await store.put(BUCKET, "name", b"data")
