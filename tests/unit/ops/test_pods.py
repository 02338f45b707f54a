"""Commands in pods: which pod is asked, and what the API says of a command's end."""

import json

import pytest

from deploy.ops.checks.scope import Scope
from deploy.ops.pods import CommandLost, container_of, exit_status
from tests.unit.ops.healthy import PODS, labels_of, with_release

NOT_THERE = {"status": "Failure", "message": 'unable to upgrade connection: container not found ("retention")'}
ENDED = {
    "status": "Failure",
    "reason": "NonZeroExitCode",
    "details": {"causes": [{"reason": "ExitCode", "message": "7"}]},
}


def test_the_status_of_a_command_is_its_own() -> None:
    assert exit_status(json.dumps({"status": "Success"})) == 0
    assert exit_status(json.dumps(ENDED)) == 7


@pytest.mark.parametrize("said", ["", json.dumps(NOT_THERE)])
def test_a_command_that_was_not_run_has_no_status(said: str) -> None:
    with pytest.raises(CommandLost):
        exit_status(said)


def test_upkeep_is_asked_before_servers_and_what_does_not_run_is_not() -> None:
    cluster = with_release()
    running = {"containerStatuses": [{"name": "ingest", "state": {"running": {}}}]}
    cluster.add(PODS, "a-server", labels=labels_of("ingest", "server"), status=running)

    def chosen() -> str | None:
        found = container_of(cluster, "pellicule", Scope().labels, "ingest")
        return found.pod if found else None

    upkeep = next(each for each in cluster.lists[PODS] if each["metadata"]["name"] == "pellicule-ingest-upkeep-1")
    assert chosen() == "pellicule-ingest-upkeep-1"
    upkeep["status"]["containerStatuses"][0]["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    assert chosen() == "a-server"
    cluster.lists[PODS][-1]["metadata"]["deletionTimestamp"] = "2026-12-01T00:00:00Z"
    assert chosen() is None
