"""Drain of a node or a workload: what runs there ends within its budgets, nothing new comes, and it can be resumed."""

from collections.abc import Mapping
from typing import Any

import pytest

from deploy.ops.checks.scope import Scope
from deploy.ops.drain import Drain
from deploy.ops.editor import Patch
from deploy.ops.errors import OpsError
from tests.fakes.cluster import FakeCluster
from tests.unit.ops.healthy import PODS, SCALERS, WORKLOADS, labels_of, with_release
from tests.unit.ops.test_rollout import LeapingClock

WORKER = "pellicule-analysis-worker"


class FakeEditor:
    """Implements `deploy.ops.editor.Editor`: pods end once nothing wants them, or when they are evicted."""

    def __init__(self, cluster: FakeCluster) -> None:
        self.cluster = cluster
        self.changes: list[tuple[str, Patch]] = []
        self.kept: dict[str, int] = {}
        """Pods that a budget keeps, and for how many evictions."""
        self.hangs = False

    def patch(self, path: str, patch: Patch) -> None:
        self.changes.append((path, patch))
        assert isinstance(patch, Mapping)
        document = self.cluster.objects[path]
        for part, fields in patch.items():
            document.setdefault(part, {}).update(fields)
        wanted = document["spec"].get("replicas") == 0 or "annotations" in patch.get("metadata", {})
        if wanted and not self.hangs:
            self._end(lambda pod: pod["metadata"]["labels"] == labels_of("analysis", "worker"))

    def evict(self, namespace: str, pod: str) -> bool:
        self.kept[pod] = self.kept.get(pod, 0) - 1
        if self.kept[pod] >= 0:
            return False
        self._end(lambda each: each["metadata"]["name"] == pod)
        return True

    def _end(self, goes: Any) -> None:
        self.cluster.lists[PODS] = [each for each in self.cluster.lists[PODS] if not goes(each)]


@pytest.fixture
def cluster() -> FakeCluster:
    made = with_release()
    labels = labels_of("analysis", "worker")
    spec = {"replicas": 3, "selector": {"matchLabels": labels}}
    made.add(WORKLOADS, WORKER, labels=labels, spec=spec)
    made.objects[f"{SCALERS}/{WORKER}"]["spec"] = {"scaleTargetRef": {"name": WORKER}}
    for each in made.lists[SCALERS]:
        each.setdefault("spec", {"scaleTargetRef": {"name": each["metadata"]["name"]}})
    made.add(PODS, f"{WORKER}-1", labels=labels, spec={"nodeName": "gpu"}, status={"phase": "Running"})
    made.add(PODS, "prepare-1", labels=labels, spec={"nodeName": "gpu"}, status={"phase": "Succeeded"})
    for each in made.lists[PODS]:
        each.setdefault("spec", {"nodeName": "other"})
    return made


def made(cluster: FakeCluster) -> tuple[Drain, FakeEditor, list[str]]:
    told: list[str] = []
    editor = FakeEditor(cluster)
    return Drain(cluster, editor, LeapingClock(), Scope(), told.append, 60), editor, told


def names(cluster: FakeCluster) -> list[str]:
    return [each["metadata"]["name"] for each in cluster.lists[PODS]]


def test_a_worker_is_drained_by_its_scaler_and_resumed(cluster: FakeCluster) -> None:
    drain, editor, _ = made(cluster)

    drain.drain(WORKER)
    drain.resume(WORKER)

    key = "autoscaling.keda.sh/paused-replicas"
    assert editor.changes == [
        (f"{SCALERS}/{WORKER}", {"metadata": {"annotations": {key: "0"}}}),
        (f"{SCALERS}/{WORKER}", {"metadata": {"annotations": {key: None, "autoscaling.keda.sh/paused": None}}}),
    ]
    assert f"{WORKER}-1" not in names(cluster)


def test_without_a_scaler_as_many_as_there_were_come_back(cluster: FakeCluster) -> None:
    cluster.lists[SCALERS] = []
    drain, _, _ = made(cluster)

    drain.drain(WORKER)
    drained = cluster.objects[f"{WORKLOADS}/{WORKER}"]["spec"]["replicas"]
    drain.resume(WORKER)

    assert drained == 0
    assert cluster.objects[f"{WORKLOADS}/{WORKER}"]["spec"]["replicas"] == 3


def test_a_node_is_cordoned_before_its_pods_are_evicted_within_their_budgets(cluster: FakeCluster) -> None:
    drain, editor, told = made(cluster)
    editor.kept[f"{WORKER}-1"] = 2

    drain.drain("gpu")

    assert editor.changes == [("/api/v1/nodes/gpu", {"spec": {"unschedulable": True}})]
    assert f"{WORKER}-1" not in names(cluster)
    assert "pellicule-ingest-upkeep-1" in names(cluster)
    assert sum("a disruption budget keeps" in line for line in told) == 2


def test_what_does_not_end_is_told_within_the_time(cluster: FakeCluster) -> None:
    drain, editor, told = made(cluster)
    editor.hangs = True

    with pytest.raises(OpsError, match="within 60 s") as failed:
        drain.drain(WORKER)

    assert failed.value.reason == "TIMED_OUT"
    assert any(f"{WORKER}-1" in line for line in told)


def test_what_is_neither_a_node_nor_a_workload_is_refused(cluster: FakeCluster) -> None:
    drain, editor, _ = made(cluster)

    with pytest.raises(OpsError, match="is no node"):
        drain.drain("nothing")
    assert editor.changes == []


def test_what_was_not_drained_is_not_scaled(cluster: FakeCluster) -> None:
    cluster.lists[SCALERS] = []
    drain, editor, _ = made(cluster)

    with pytest.raises(OpsError, match="was not drained"):
        drain.resume(WORKER)
    assert editor.changes == []
