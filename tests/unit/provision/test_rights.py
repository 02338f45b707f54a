"""Both object stores are told the same rights, each in its own words, and none more than is declared."""

import pytest

from deploy.declarations import (
    BUCKETS,
    DECLARATIONS,
    JOURNAL_BUCKET,
    MODEL_IDENTITIES,
    SERVICES,
    BucketRights,
    bus_rights,
    identities,
)
from deploy.provision.policies import policy, seaweed_actions

RIGHTS = identities()


def told_to_seaweedfs(rights: BucketRights, action: str) -> set[str]:
    told = [each.partition(":") for each in seaweed_actions(rights)]
    return {bucket for name, _, bucket in told if name == action}


def told_to_s3(rights: BucketRights, action: str) -> set[str]:
    return {
        resource.removeprefix("arn:aws:s3:::").removesuffix("/*")
        for statement in policy(rights).statements
        if action in statement.actions
        for resource in statement.resources
    }


@pytest.mark.parametrize("name", RIGHTS)
def test_an_identity_reads_what_it_owns_reads_and_appends_to(name: str) -> None:
    rights = RIGHTS[name]
    expected = {*rights.owns, *rights.reads, *rights.appends}

    assert told_to_seaweedfs(rights, "Read") == told_to_s3(rights, "s3:GetObject") == expected
    assert told_to_seaweedfs(rights, "List") == told_to_s3(rights, "s3:ListBucket") == expected


@pytest.mark.parametrize("name", RIGHTS)
def test_an_identity_writes_what_it_owns_or_appends_to(name: str) -> None:
    rights = RIGHTS[name]

    assert told_to_seaweedfs(rights, "Write") == told_to_s3(rights, "s3:PutObject") == {*rights.owns, *rights.appends}


@pytest.mark.parametrize("name", RIGHTS)
def test_an_identity_deletes_in_its_own_buckets_alone(name: str) -> None:
    assert told_to_s3(RIGHTS[name], "s3:DeleteObject") == set(RIGHTS[name].owns)


@pytest.mark.parametrize("name", RIGHTS)
def test_rights_name_each_bucket_and_action(name: str) -> None:
    statements = policy(RIGHTS[name]).statements

    assert not any("*" in action for each in statements for action in each.actions)
    assert all(each.removeprefix("arn:aws:s3:::").split("/")[0].isalpha() for s in statements for each in s.resources)


@pytest.mark.parametrize("bucket", [*BUCKETS, "models", "engines"])
def test_a_bucket_has_one_owner(bucket: str) -> None:
    assert len([name for name, rights in RIGHTS.items() if bucket in rights.owns]) == 1


def test_every_service_reads_the_journal_and_retention_alone_adds_to_it() -> None:
    assert [name for name in SERVICES if JOURNAL_BUCKET in RIGHTS[name].all] == list(SERVICES)
    assert [name for name, rights in RIGHTS.items() if JOURNAL_BUCKET in rights.appends] == ["retention"]
    assert [name for name, rights in RIGHTS.items() if JOURNAL_BUCKET in rights.owns] == []


def test_what_serves_models_reaches_no_bucket_of_a_service() -> None:
    for rights in MODEL_IDENTITIES.values():
        assert {*BUCKETS, JOURNAL_BUCKET}.isdisjoint(rights.all)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_publishes_its_own_events_and_hints_alone(service: str) -> None:
    told = [subject for subject in bus_rights(service).publish if subject.startswith("pellicule.")]
    hints = [f"pellicule.internal.{service}.work"] if DECLARATIONS[service].works else []
    assert told == [f"pellicule.internal.{service}.v1.>", *hints]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_calls_those_beneath_it_alone(service: str) -> None:
    order = ["retention", "consent", "ingest", "analysis", "suggestion"]

    assert all(order.index(called) < order.index(service) for called in DECLARATIONS[service].calls)
