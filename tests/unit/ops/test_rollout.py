"""Rollout of models' servers: one first, which has to give known answers; then all, or back."""

import json

import pytest

from deploy.ops.checks.scope import Scope
from deploy.ops.errors import OpsError
from deploy.ops.pods import Ran
from deploy.ops.rollout.plan import Change, plan_of
from deploy.ops.rollout.run import Means, Rollout
from tests.fakes.pods import FakePods
from tests.fakes.servers import FakeServers

WRONG = {"well": False, "models": [{"model": "scene", "outcome": "wrong", "message": "scene: other outputs"}]}
NEW = Change(image="triton:2")


class LeapingClock:
    """Implements `deploy.ops.waiting.Clock`: time passes by waiting alone."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def pods() -> FakePods:
    made = FakePods()
    made.answers["canary"] = Ran(0, json.dumps({"well": True, "models": []}), "")
    return made


def run(servers: FakeServers, pods: FakePods, wanted: Change = NEW) -> list[str]:
    told: list[str] = []
    scope = Scope()
    means = Means(servers, servers, pods, LeapingClock(), told.append, seconds=60)
    try:
        Rollout(plan_of(servers, scope, wanted), scope, means).run()
    except OpsError as error:
        told.append(f"{error.reason}: {error}")
    return told


def images(servers: FakeServers) -> list[str]:
    return [spec["containers"][0]["image"] for spec in servers.pods]


def test_one_server_answers_before_the_others_follow(pods: FakePods) -> None:
    servers = FakeServers()

    told = run(servers, pods)

    assert images(servers) == ["triton:2", "triton:2"]
    assert servers.most_new == 1
    assert told.index("hold the others") < told.index("promote") < told.index("let the others follow")
    assert servers.deployment["spec"]["paused"] is None
    assert {command[2:] for _, command in pods.ran} == {
        ("inference.canary", "--target=localhost:8001", "--ca-file=ca.crt")
    }


def test_a_wrong_answer_takes_all_back(pods: FakePods) -> None:
    servers = FakeServers()
    pods.answers["canary"] = Ran(1, json.dumps(WRONG), "")

    told = run(servers, pods)

    assert "promote" not in told
    assert told[-1].startswith("ROLLED_BACK: ")
    assert "scene: other outputs" in told[-1]
    assert images(servers) == ["triton:1", "triton:1"]
    assert servers.deployment["spec"]["paused"] is None


def test_a_server_that_does_not_get_ready_is_taken_back_within_the_time(pods: FakePods) -> None:
    servers = FakeServers(ready=False)

    told = run(servers, pods)

    assert told[-1] == "ROLLED_BACK: it to be ready did not come within 60 s"
    assert images(servers) == ["triton:1", "triton:1"]
    assert pods.ran == []


def test_a_canary_whose_end_is_not_seen_is_no_answer(pods: FakePods) -> None:
    servers = FakeServers()
    pods.lost = True

    assert run(servers, pods)[-1] == "ROLLED_BACK: the pod has gone"


def test_other_models_are_fetched(pods: FakePods) -> None:
    servers = FakeServers()

    run(servers, pods, Change(repository="r2"))

    assert [spec["initContainers"][0]["args"][1] for spec in servers.pods] == ["r2", "r2"]


def test_kserve_is_told_by_its_own_objects(pods: FakePods) -> None:
    servers = FakeServers(kserve=True)

    told = run(servers, pods, Change(image="triton:2", repository="r2"))

    assert servers.service["spec"]["predictor"]["model"]["storageUri"] == "s3://models/repositories/r2"
    assert images(servers) == ["triton:2", "triton:2"]
    assert "hold the others" not in told


def test_kserve_goes_back_as_well(pods: FakePods) -> None:
    servers = FakeServers(kserve=True)
    pods.answers["canary"] = Ran(1, json.dumps(WRONG), "")

    told = run(servers, pods, Change(image="triton:2", repository="r2"))

    assert told[-1].startswith("ROLLED_BACK: ")
    assert images(servers) == ["triton:1", "triton:1"]
    assert servers.service["spec"]["predictor"]["model"]["storageUri"] == "s3://models/repositories/r1"


def test_what_is_so_already_changes_nothing(pods: FakePods) -> None:
    servers = FakeServers()

    assert run(servers, pods, Change(image="triton:1"))[-1].startswith("NOTHING_TO_DO")
    assert servers.changes == []


def test_no_server_is_replaced_where_none_runs(pods: FakePods) -> None:
    servers = FakeServers()
    servers.deployment["spec"]["replicas"] = 0

    assert run(servers, pods)[-1].startswith("NO_SERVER")
    assert servers.changes == []
