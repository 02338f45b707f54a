"""Identities and policies of MinIO: each does what is declared, and what has drifted is put right."""

import io
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

import pytest
import pytest_asyncio
from minio import MinioAdmin
from minio.error import S3Error

from deploy.declarations import BUCKETS, JOURNAL_BUCKET, MODEL_IDENTITIES, identities
from deploy.local.parts.minio import MinioServer, minio_server
from deploy.local.parts.minio_program import cached_minio
from deploy.local.parts.object_store import ADMINISTRATOR, endpoint
from deploy.provision.buckets import Buckets
from deploy.provision.differences import Difference, repair, repair_all
from deploy.provision.minio_identities import MinioIdentities
from deploy.provision.object_store import Endpoint, Identity

RIGHTS = identities()
KEYS = {name: Identity(f"key-of-{name}", f"secret of {name}") for name in RIGHTS}
ALL_BUCKETS = (*BUCKETS, JOURNAL_BUCKET, *{bucket for each in MODEL_IDENTITIES.values() for bucket in each.owns})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MinioServer]:
    if cached_minio() is None:
        pytest.skip("MinIO is not built here: python -m deploy.local.parts.minio_program")
    async with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture
def place(server: MinioServer) -> Endpoint:
    where = endpoint(server.address)
    with where.connection(server.identity(ADMINISTRATOR)) as (store, _):
        plain = [name for name in ALL_BUCKETS if name != JOURNAL_BUCKET]
        repair_all(Buckets(store, plain, [JOURNAL_BUCKET]).differences())
    return where


@pytest.fixture
def declared(server: MinioServer, place: Endpoint) -> MinioIdentities:
    declared = MinioIdentities(place, server.identity(ADMINISTRATOR), KEYS, RIGHTS)
    repair_all(declared.differences())
    return declared


@pytest.fixture
def admin(server: MinioServer, place: Endpoint) -> Iterator[MinioAdmin]:
    with place.administration(server.identity(ADMINISTRATOR)) as admin:
        yield admin


def said(differences: Iterator[Difference]) -> list[str]:
    return [f"{each.subject} {each.wrong}" for each in differences]


def reaches(place: Endpoint, name: str, bucket: str) -> set[str]:
    """Return what an identity can do in a bucket, by trying it."""
    done = set()
    with place.connection(KEYS[name]) as (store, _):
        acts: Mapping[str, Callable[[], object]] = {
            "write": lambda: store.put_object(bucket, "a", io.BytesIO(b"x"), 1),
            "list": lambda: list(store.list_objects(bucket)),
            "read": lambda: store.stat_object(bucket, "a"),
            "delete": lambda: store.remove_object(bucket, "a"),
            "open": lambda: store.set_bucket_policy(bucket, '{"Version": "2012-10-17", "Statement": []}'),
        }
        for what, act in acts.items():
            try:
                act()
                done.add(what)
            except S3Error as error:
                if error.code != "AccessDenied":
                    raise
    return done


@pytest.fixture
def objects(server: MinioServer, place: Endpoint) -> None:
    with place.connection(server.identity(ADMINISTRATOR)) as (store, _):
        for bucket in ALL_BUCKETS:
            store.put_object(bucket, "a", io.BytesIO(b"x"), 1)


def test_nothing_differs_once_all_is_made(declared: MinioIdentities) -> None:
    assert said(declared.differences()) == []


@pytest.mark.usefixtures("declared", "objects")
@pytest.mark.parametrize("name", RIGHTS)
def test_an_identity_does_what_is_declared_and_nothing_else(place: Endpoint, name: str) -> None:
    rights = RIGHTS[name]
    expected = {bucket: set[str]() for bucket in ALL_BUCKETS}
    expected |= {bucket: {"read", "list"} for bucket in rights.reads}
    expected |= {bucket: {"read", "list", "write"} for bucket in rights.appends}
    expected |= {bucket: {"read", "list", "write", "delete"} for bucket in rights.owns}

    assert {bucket: reaches(place, name, bucket) for bucket in ALL_BUCKETS} == expected


def test_a_secret_that_changed_is_put_right(declared: MinioIdentities, admin: MinioAdmin) -> None:
    admin.user_add(access_key=KEYS["ingest"].access_key, secret_key="another secret")

    assert said(repair(declared.differences())) == ["identity ingest has another secret, or is disabled"]
    assert said(declared.differences()) == []


def test_a_user_that_is_disabled_is_put_right(declared: MinioIdentities, admin: MinioAdmin) -> None:
    admin.user_disable(access_key=KEYS["ingest"].access_key)

    assert said(repair(declared.differences())) == ["identity ingest has another secret, or is disabled"]
    assert said(declared.differences()) == []


def test_a_policy_that_allows_more_is_put_right(declared: MinioIdentities, admin: MinioAdmin) -> None:
    wide = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]}],
    }
    admin.policy_add(policy_name="ingest", policy=wide)

    assert said(repair(declared.differences())) == ["policy ingest allows something else"]
    assert said(declared.differences()) == []


def test_a_policy_that_was_attached_as_well_is_taken_off(declared: MinioIdentities, admin: MinioAdmin) -> None:
    admin.attach_policy(policies=["readwrite"], user=KEYS["ingest"].access_key)

    assert said(repair(declared.differences())) == ["identity ingest has the policy readwrite as well"]
    assert said(declared.differences()) == []


def test_a_policy_that_was_taken_off_is_attached(declared: MinioIdentities, admin: MinioAdmin) -> None:
    admin.detach_policy(policies=["ingest"], user=KEYS["ingest"].access_key)

    assert said(repair(declared.differences())) == ["identity ingest has not its policy ingest"]
    assert said(declared.differences()) == []


def test_a_user_that_is_gone_is_made(declared: MinioIdentities, admin: MinioAdmin) -> None:
    admin.user_remove(access_key=KEYS["ingest"].access_key)

    found = said(repair(declared.differences()))

    assert found == ["identity ingest is not there", "identity ingest has not its policy ingest"]
    assert said(declared.differences()) == []


def test_the_rights_of_a_group_are_said_with_what_to_do(declared: MinioIdentities, admin: MinioAdmin) -> None:
    admin.group_add("wheel", [KEYS["ingest"].access_key])
    try:
        (found,) = declared.differences()
    finally:
        admin.group_remove("wheel", [KEYS["ingest"].access_key])

    assert (found.wrong, found.repair) == ("has the rights of the group wheel as well", None)
