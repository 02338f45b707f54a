"""`pellicule-ops` on a cell: the doctor, other models and worse ones, and workers that take a break."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from minio.commonconfig import ENABLED
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule

from inference.model_build.build import default_home
from inference.repository import assemble_repository
from tests.cluster.harness import database, imports, models, objects, release
from tests.cluster.harness.controllers import has_controller, left_out
from tests.cluster.harness.credentials import Credentials
from tests.cluster.harness.eventually import until
from tests.cluster.harness.names import INFERENCE, NAMESPACE, RELEASE
from tests.cluster.harness.phone import Phone, phone
from tests.cluster.harness.programs import Cluster
from tests.cluster.harness.times import Times

WORKER = f"{RELEASE}-analysis-worker"
DEAD = """
    INSERT INTO dead_letter (consumer, event_id, type, source, subject, event_time, body, deliveries, reason)
    VALUES ('ingest-purge', 'a', 'a', 'a', 'a', now(), '', 5, 'TESTED');
"""
DONE, REFUSED = 0, 1
OF_THE_CLUSTER = ("storage: ", "network policies: ", "metrics: ")
"""What any cluster that the suite is run on may lack."""


def operate(*arguments: str, status: int | None = DONE) -> Iterator[Mapping[str, Any]]:
    """Run a command, which ends with a status if one is said; yield its lines."""
    command = [sys.executable, "-m", "deploy.ops", *arguments, f"--namespace={NAMESPACE}", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert status in (None, done.returncode), done.stdout[-6000:] + done.stderr[-6000:]
    yield from map(json.loads, done.stdout.splitlines())


def ailing() -> Mapping[str, str]:
    """Return what the doctor does not call right of the release, by its name."""
    rows = operate("doctor", f"--release={RELEASE}", "--environment=minimal", status=None)
    found = [row for row in rows if row["verdict"] != "right" and not row["name"].startswith(OF_THE_CLUSTER)]
    return {row["name"]: f"{row['verdict']}: {row['wrong']}" for row in found}


def test_the_doctor_calls_a_release_well(installed: Cluster) -> None:
    assert ailing() == {}


def test_the_doctor_names_what_is_broken(installed: Cluster, credentials: Credentials, tmp_path: Path) -> None:
    with objects.opened(installed, credentials, tmp_path) as store:
        rule = Rule(ENABLED, expiration=Expiration(days=2), rule_id="another")
        store.set_bucket_lifecycle("renditions", LifecycleConfig([rule]))
    database.select(installed, "ingest", DEAD)
    installed.kubectl("set", "image", f"deployment/{RELEASE}-consent-upkeep", "*=localhost/none:none")
    until(lambda: len(ailing()) > 2, "the new image is not there")

    found = ailing()

    installed.kubectl("rollout", "undo", f"deployment/{RELEASE}-consent-upkeep")
    database.select(installed, "ingest", "DELETE FROM dead_letter")
    assert {"suggestion: lifecycle of bucket renditions", "ingest: dead letters"} <= found.keys()
    assert any("consent-upkeep" in name for name in found)


def test_what_was_broken_is_mended_by_the_next_upgrade(installed: Cluster) -> None:
    release.install(installed, RELEASE, release.own(installed))

    assert ailing() == {}


def test_other_models_are_rolled_out(
    installed: Cluster, credentials: Credentials, times: Times, tmp_path: Path
) -> None:
    other = models.publish(installed, credentials, tmp_path, "--label", "other")

    with times.step("pellicule-ops rollout of other models"):
        list(operate("rollout", f"--repository={other}", f"--release={INFERENCE}"))

    assert other in json.dumps(installed.get("deployment", INFERENCE))


def test_models_that_answer_wrongly_are_taken_back(
    installed: Cluster, credentials: Credentials, times: Times, tmp_path: Path
) -> None:
    before = installed.get("deployment", INFERENCE)["spec"]["template"]
    assemble_repository(tmp_path / "repository", default_home())
    spoil(tmp_path / "repository")
    worse = models.publish(installed, credentials, tmp_path, "--repository", str(tmp_path / "repository"))

    with times.step("pellicule-ops rollout of models that answer wrongly, until all is as before"):
        (row,) = operate("rollout", f"--repository={worse}", f"--release={INFERENCE}", "--timeout=180", status=REFUSED)

    assert row["error"]["reason"] == "ROLLED_BACK"
    assert installed.get("deployment", INFERENCE)["spec"]["template"] == before


def spoil(repository: Path) -> None:
    """Have the faces' model see nothing: its weights are zeros."""
    model = max((repository / "face_detector").rglob("*.onnx"), key=lambda path: path.stat().st_size)
    content = bytearray(model.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 65536] = bytes(65536)
    model.unlink()  # it may be a link to what is built
    model.write_bytes(content)


def test_drained_workers_take_nothing_until_they_may(
    installed: Cluster, credentials: Credentials, ada: Phone, times: Times
) -> None:
    if not has_controller(installed, "KEDA"):
        pytest.skip(left_out("KEDA", "draining of workers that are scaled"))
    with times.step("pellicule-ops drain of a worker"):
        list(operate("drain", WORKER))
    lia = phone(ada.place, ada.pod, credentials, "lia")
    running = imports.begin(lia, "/tmp/roll")
    imports.under_way(installed, credentials, "lia", photos=1)

    assert not release.pods(installed, "app.kubernetes.io/name=analysis,app.kubernetes.io/component=worker")
    list(operate("resume", WORKER))

    assert {row["outcome"] for row in running.end().values()} == {"stored"}
    assert lia.rows("ideas")
