"""Both object stores are told the same rights, each in its own words."""

import pytest

from deploy.declarations import BUCKETS, DECLARATIONS, SERVICES, bus_rights
from deploy.local.parts.minio import policy
from deploy.local.parts.seaweedfs import actions

STORING = [name for name, each in DECLARATIONS.items() if each.stores_objects]


def writable_by_seaweedfs(service: str) -> set[str]:
    return {action.partition(":")[2] for action in actions(service) if action.startswith("Write")}


def writable_by_minio(service: str) -> set[str]:
    return {
        resource.removeprefix("arn:aws:s3:::").removesuffix("/*")
        for statement in policy(service).statements
        if "s3:PutObject" in statement.actions
        for resource in statement.resources
    }


@pytest.mark.parametrize("service", STORING)
def test_a_service_writes_its_own_buckets_alone(service: str) -> None:
    assert writable_by_seaweedfs(service) == writable_by_minio(service) == set(DECLARATIONS[service].owns)


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_has_one_writer(bucket: str) -> None:
    assert len([name for name, each in DECLARATIONS.items() if bucket in each.owns]) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_publishes_its_own_events_alone(service: str) -> None:
    events = [subject for subject in bus_rights(service).publish if subject.startswith("pellicule.")]
    assert events == [f"pellicule.internal.{service}.v1.>"]
