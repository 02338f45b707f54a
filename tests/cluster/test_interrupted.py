"""What dies under an import costs retries, and no answer: pods, the database, all at once; and so with upgrades."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.harness import imports, release
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.names import RELEASE
from tests.cluster.harness.phone import Phone, Row, phone
from tests.cluster.harness.platform import SERVERS
from tests.cluster.harness.programs import Cluster
from tests.cluster.harness.times import Times

NEW_PODS: Mapping[str, Any] = {"podAnnotations": {"tests/upgrade": "another"}}
BEGUN = 3


@pytest.fixture(scope="module")
def photos(ada: Phone, many_photos: Path) -> str:
    """Have a longer roll on the phone."""
    ada.carry(many_photos, "many")
    return "/tmp/many"


def brought_in(
    cell: Cluster, credentials: Credentials, pod: Phone, subject: str, photos: str, meanwhile: Callable[[], object]
) -> Mapping[str, Row]:
    """Import photos as a person, and do something to the cell when it is under way; return the answers by file."""
    person = phone(pod.place, pod.pod, credentials, subject)
    running = imports.begin(person, photos)
    imports.under_way(cell, credentials, subject, photos=BEGUN)
    meanwhile()
    return imports.understood(cell, credentials, running)


def test_an_upgrade_loses_nothing_and_no_caller_sees_it(
    installed: Cluster, credentials: Credentials, ada: Phone, photos: str, times: Times
) -> None:
    def upgrade() -> None:
        with times.step("helm upgrade under running imports: every pod is replaced"):
            release.install(installed, RELEASE, release.own(installed), NEW_PODS)

    answers = imports.throughout(installed, credentials, ada, "dora", photos, upgrade)

    assert {row["outcome"] for row in answers} == {"stored"}


@pytest.mark.parametrize(("service", "role"), [("ingest", "server"), ("retention", "server"), ("suggestion", "upkeep")])
def test_a_killed_pod_loses_nothing(
    installed: Cluster, credentials: Credentials, ada: Phone, photos: str, service: str, role: str
) -> None:
    def kill() -> None:
        pod = release.pod_of(installed, service, role)
        installed.kubectl("delete", "pod", pod, "--grace-period=0", "--force")

    answers = brought_in(installed, credentials, ada, f"killed-{service}", photos, kill)

    assert {row["outcome"] for row in answers.values()} == {"stored"}


def test_a_killed_database_loses_nothing(
    installed: Cluster, credentials: Credentials, ada: Phone, photos: str, times: Times
) -> None:
    def kill() -> None:
        with times.step("PostgreSQL is killed, until it is ready again"):
            installed.kubectl("delete", "pod", "postgres-0", "--grace-period=0", "--force")
            installed.rolled_out("statefulset/postgres")

    answers = brought_in(installed, credentials, ada, "erin", photos, kill)

    assert {row["outcome"] for row in answers.values()} == {"stored"}


def test_a_restart_of_everything_loses_nothing(
    installed: Cluster, credentials: Credentials, ada: Phone, photos: str, times: Times
) -> None:
    def restart() -> None:
        with times.step("everything is killed at once, until all is ready again"):
            installed.kubectl("delete", "pods", "--all", "--grace-period=0", "--force")
            installed.rolled_out(*SERVERS, *_deployments(installed), seconds=600)

    before = phone(ada.place, ada.pod, credentials, "dora-0").rows("ideas")
    answers = brought_in(installed, credentials, ada, "fay", photos, restart)

    assert {row["outcome"] for row in answers.values()} == {"stored"}
    assert phone(ada.place, ada.pod, credentials, "dora-0").rows("ideas") == before


def test_a_rollback_works(installed: Cluster, credentials: Credentials, ada: Phone, photos: str, times: Times) -> None:
    def back() -> None:
        with times.step("helm rollback under running imports"):
            installed.helm("rollback", RELEASE, "--wait", "--timeout=900s")

    answers = imports.throughout(installed, credentials, ada, "gil", photos, back)

    assert {row["outcome"] for row in answers} == {"stored"}


def _deployments(cell: Cluster) -> list[str]:
    return [f"deployment/{each['metadata']['name']}" for each in cell.every("deployments.apps", release.SELECTOR)]
