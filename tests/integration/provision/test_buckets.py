"""Buckets of both object stores: made as declared, and what is deleted in one is gone, but in the journal's."""

import io
import json
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from minio import Minio
from minio.commonconfig import ENABLED
from minio.error import S3Error
from minio.versioningconfig import VersioningConfig

from deploy.local.parts.minio import minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.object_store import ADMINISTRATOR, connection
from deploy.local.parts.seaweedfs import seaweedfs_server
from deploy.provision.buckets import Buckets
from deploy.provision.differences import Difference, repair, repair_all
from deploy.provision.object_store import Identity

PLAIN, LOCKED = "sealed", "records"
ANYONE = {
    "Effect": "Allow",
    "Principal": {"AWS": ["*"]},
    "Action": ["s3:GetObject"],
    "Resource": [f"arn:aws:s3:::{PLAIN}/*"],
}


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["seaweedfs", "minio"])
async def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, Identity]]:
    if request.param == "minio" and cached_minio() is None:
        pytest.skip("MinIO is not built here: python -m deploy.local.parts.minio_program")
    folder = tmp_path_factory.mktemp(request.param)
    async with minio_server(folder) if request.param == "minio" else seaweedfs_server(folder) as server:
        yield server.address, server.identity(ADMINISTRATOR)


@pytest.fixture
def store(place: tuple[str, Identity]) -> Iterator[Minio]:
    with connection(*place) as (store, _):
        yield store


def buckets(store: Minio) -> Buckets:
    return Buckets(store, [PLAIN], [LOCKED])


def said(differences: Iterator[Difference]) -> list[str]:
    return [f"{each.subject} {each.wrong}" for each in differences]


def put(store: Minio, bucket: str, name: str) -> str:
    return str(store.put_object(bucket, name, io.BytesIO(b"x"), 1).version_id)


def test_what_is_missing_is_made_and_then_nothing_differs(store: Minio) -> None:
    found = said(repair(buckets(store).differences()))

    assert found == [f"bucket {PLAIN} is not there", f"bucket {LOCKED} is not there"]
    assert said(buckets(store).differences()) == []


def test_what_is_deleted_is_gone(store: Minio) -> None:
    repair_all(buckets(store).differences())
    put(store, PLAIN, "a")
    store.remove_object(PLAIN, "a")

    assert list(store.list_objects(PLAIN, include_version=True)) == []


def test_a_record_cannot_be_deleted(store: Minio) -> None:
    repair_all(buckets(store).differences())
    version = put(store, LOCKED, "0")

    with pytest.raises(S3Error):
        store.remove_object(LOCKED, "0", version_id=version)
    assert store.get_object(LOCKED, "0", version_id=version).read() == b"x"


def test_a_bucket_that_keeps_versions_keeps_none_from_then_on(store: Minio) -> None:
    repair_all(buckets(store).differences())
    store.set_bucket_versioning(PLAIN, VersioningConfig(ENABLED))

    (found,) = repair(buckets(store).differences())

    assert "keeps older versions" in found.wrong
    assert said(buckets(store).differences()) == []


def test_a_bucket_that_lets_others_in_lets_none_in(store: Minio) -> None:
    repair_all(buckets(store).differences())
    store.set_bucket_policy(PLAIN, json.dumps({"Version": "2012-10-17", "Statement": [ANYONE]}))

    (found,) = repair(buckets(store).differences())

    assert "by a policy of its own" in found.wrong
    assert said(buckets(store).differences()) == []


def test_a_bucket_with_a_lock_where_none_may_be_is_said_with_what_to_do(store: Minio) -> None:
    store.make_bucket("held", object_lock=True)
    (found,) = Buckets(store, ["held"]).differences()

    assert (found.repair, found.remedy.split()[0]) == (None, "copy")


def test_a_journal_s_bucket_without_a_lock_is_said_with_what_to_do(store: Minio) -> None:
    store.make_bucket("loose")
    (found,) = Buckets(store, [], ["loose"]).differences()

    assert (found.repair, found.remedy.split()[0]) == (None, "copy")
