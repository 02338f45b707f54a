"""What `helm install` brings is ready without a restart, and keeps to what it is allowed."""

import pytest

from tests.cluster.harness import release
from tests.cluster.harness.programs import Cluster


def test_every_pod_is_ready_and_none_was_started_again(installed: Cluster) -> None:
    conditions = {
        pod["metadata"]["name"]: {each["type"]: each["status"] for each in pod["status"]["conditions"]}
        for pod in release.pods(installed)
    }

    assert {name: found["Ready"] for name, found in conditions.items() if found["Ready"] != "True"} == {}
    assert release.restarts(installed) == {}


@pytest.mark.parametrize("service", ["consent", "ingest", "analysis", "suggestion", "retention"])
def test_every_service_answers_with_two_servers(installed: Cluster, service: str) -> None:
    selector = f"app.kubernetes.io/name={service},app.kubernetes.io/component=server"

    assert len(release.pods(installed, selector)) == 2


def test_the_charts_own_test_passes(installed: Cluster) -> None:
    said = installed.helm("test", "pellicule", "--logs", "--timeout=600s")

    assert "Succeeded" in said
