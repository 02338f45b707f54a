"""KEDA's operator takes workers to zero and wakes them on the first photo; many of all make nothing twice."""

from pathlib import Path

import pytest

from tests.cluster.harness import bus, imports, objects, release
from tests.cluster.harness.controllers import has_controller, left_out
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.eventually import until
from tests.cluster.harness.names import RELEASE
from tests.cluster.harness.phone import Phone, phone
from tests.cluster.harness.programs import Cluster
from tests.cluster.harness.times import Times

WORKER = "pellicule-analysis-worker"
MANY = {
    "upkeep": {"replicas": 2},
    "worker": {"keda": {"enabled": True, "minReplicas": 3, "maxReplicas": 3}},
}


def workers(cell: Cluster) -> int:
    return len(release.pods(cell, "app.kubernetes.io/name=analysis,app.kubernetes.io/component=worker"))


@pytest.fixture(scope="module")
def scaled(installed: Cluster) -> Cluster:
    if not has_controller(installed, "KEDA"):
        pytest.skip(left_out("KEDA", "scaling of workers"))
    return installed


def test_idle_workers_go_to_zero(scaled: Cluster, times: Times) -> None:
    times.note("idle workers are taken to zero", until(lambda: workers(scaled) == 0, "no worker is left"))


def test_the_first_photo_wakes_a_worker_and_idleness_ends_it(
    scaled: Cluster, credentials: Credentials, ada: Phone, roll: Path, times: Times
) -> None:
    ben = phone(ada.place, ada.pod, credentials, "ben")
    running = imports.begin(ben, "/tmp/roll")
    imports.under_way(scaled, credentials, "ben", photos=1)

    times.note("a worker wakes on the first photo", until(lambda: workers(scaled) > 0, "a worker is there"))
    answers = running.end()

    assert {row["outcome"] for row in answers.values()} == {"stored"}
    times.note("the worker is taken to zero again", until(lambda: workers(scaled) == 0, "no worker is left"))


def test_two_servers_and_three_workers_make_nothing_twice(
    scaled: Cluster, credentials: Credentials, ada: Phone, times: Times, tmp_path: Path
) -> None:
    with times.step("helm upgrade to three workers and two of everything else"):
        release.install(scaled, RELEASE, release.own(scaled), MANY)
    until(lambda: workers(scaled) == 3, "three workers are there")
    cleo = phone(ada.place, ada.pod, credentials, "cleo")
    before = {service: bus.told(scaled, service) for service in ("ingest", "analysis")}

    answers = imports.begin(cleo, "/tmp/roll").end()

    after = {service: bus.told(scaled, service) for service in before}
    assert {service: after[service] - before[service] for service in before} == dict.fromkeys(before, len(answers))
    ideas = cleo.rows("ideas")
    assert ideas
    assert len({(idea["kind"], *sorted(idea["media"])) for idea in ideas}) == len(ideas)
    assert objects.kept(scaled, credentials, tmp_path) == objects.named(scaled)
    release.install(scaled, RELEASE, release.own(scaled))
