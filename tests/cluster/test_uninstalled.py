"""`helm uninstall` leaves the data and nothing else, and what is installed again finds it."""

from collections.abc import Sequence
from typing import Final

import pytest

from tests.cluster.harness import release
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.eventually import until
from tests.cluster.harness.names import INFERENCE, RELEASE
from tests.cluster.harness.phone import Phone, Row, phone
from tests.cluster.harness.programs import Cluster, ProgramFailed
from tests.cluster.harness.times import Times

KINDS: Final = (
    "deployments.apps,statefulsets.apps,jobs.batch,cronjobs.batch,pods,services,serviceaccounts,networkpolicies,"
    "poddisruptionbudgets,roles,rolebindings,configmaps,secrets,persistentvolumeclaims,scaledobjects"
)


@pytest.fixture(scope="module")
def ideas(installed: Cluster, credentials: Credentials, ada: Phone) -> Sequence[Row]:
    """Have a person with ideas, whatever stories were left out."""
    ken = phone(ada.place, ada.pod, credentials, "ken")
    ken.bring_in("/tmp/roll")
    return ken.rows("ideas")


def test_nothing_of_the_release_is_left(installed: Cluster, ideas: Sequence[Row], times: Times) -> None:
    with times.step("helm uninstall of both charts"):
        for name in (RELEASE, INFERENCE):
            installed.helm("uninstall", name, "--wait", "--timeout=300s")

    kinds = KINDS if _has_keda(installed) else KINDS.rpartition(",")[0]
    # Pods finish their calls first, and helm does not wait for that.
    times.note("nothing of either release is left", until(lambda: not _left(installed, kinds), "nothing is left"))


def test_what_was_there_is_there_again_after_another_installation(
    installed: Cluster, credentials: Credentials, ada: Phone, ideas: Sequence[Row], times: Times, repository: str
) -> None:
    with times.step("helm install again, on the data that was left"):
        release.install(installed, INFERENCE, release.inference(installed, repository))
        release.install(installed, RELEASE, release.own(installed))

    assert ideas
    ken = phone(ada.place, ada.pod, credentials, "ken")
    # Services that are new all at once have yet to find each other.
    times.note("then, until ideas are answered", until(lambda: _answered(ken), "ideas are answered"))
    assert ken.rows("ideas") == ideas


def _answered(person: Phone) -> bool:
    try:
        person.run("ideas")
    except ProgramFailed as error:
        if "call again" not in str(error):
            raise
        return False
    return True


def _left(cell: Cluster, kinds: str) -> Sequence[str]:
    found = [each for each in cell.every(kinds) if _is_of_a_release(each["metadata"].get("labels", {}))]
    return [f"{each['kind']} {each['metadata']['name']}" for each in found]


def _has_keda(cell: Cluster) -> bool:
    found = cell.kubectl("get", "crd", "scaledobjects.keda.sh", "--ignore-not-found", "-o", "name")
    return bool(found.strip())


def _is_of_a_release(labels: dict[str, str]) -> bool:
    return labels.get("app.kubernetes.io/instance") in (RELEASE, INFERENCE)
