"""Commands `drain` and `resume`: a node or a workload finishes what it has and takes nothing more, until it may again.

A worker that is told to stop gives back within seconds what it does not finish, and another one has it at once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import typer

from deploy.ops.checks.cluster import Cluster, Document
from deploy.ops.checks.scaling import PAUSED, PAUSED_AT
from deploy.ops.checks.scope import Scope
from deploy.ops.editor import Editor, KubernetesEditor
from deploy.ops.errors import OpsError
from deploy.ops.options import Context, Json, Namespace, Release
from deploy.ops.output import emit, failures, note
from deploy.ops.pods import configured
from deploy.ops.waiting import Clock, MachineClock, wait_for

Subject: TypeAlias = Annotated[str, typer.Argument(metavar="NODE|WORKLOAD", help="A node, or a Deployment's name.")]

_NODES = "/api/v1/nodes"
_REPLICAS = "pellicule.dev/replicas-before-drain"
"""On a Deployment that no ScaledObject scales: how many there were."""


@dataclass(frozen=True)
class Drain:
    """What is drained, and by what means."""

    cluster: Cluster
    editor: Editor
    clock: Clock
    scope: Scope
    tell: Callable[[str], None]
    seconds: float

    def drain(self, name: str) -> None:
        """Wait until nothing of Pellicule runs on a node, or of a workload.

        Raises:
            OpsError: SUBJECT_UNKNOWN; TIMED_OUT: it takes nothing more, and has not finished.
        """
        if self._node(name):
            self._drain_node(name)
        else:
            self._drain_workload(self._workload(name))

    def resume(self, name: str) -> None:
        """Let a node or a workload take work again.

        Raises:
            OpsError: SUBJECT_UNKNOWN.
        """
        if self._node(name):
            self.tell(f"uncordon {name}")
            self.editor.patch(f"{_NODES}/{name}", {"spec": {"unschedulable": None}})
        else:
            self._resume_workload(self._workload(name))

    def _drain_node(self, node: str) -> None:
        self.tell(f"cordon {node}")
        self.editor.patch(f"{_NODES}/{node}", {"spec": {"unschedulable": True}})
        self._wait(f"the end of its pods on {node}", lambda: self._evicted(node))

    def _evicted(self, node: str) -> bool:
        """Ask every pod again: what a budget keeps now may go once another one is ready."""
        there = [each for each in self._pods(self.scope.labels) if _is_on(each, node)]
        staying = [each for each in there if "deletionTimestamp" not in each["metadata"]]
        kept = [_name(pod) for pod in staying if not self.editor.evict(self.scope.namespace, _name(pod))]
        self._count(there, f"; a disruption budget keeps {', '.join(kept)}" if kept else "")
        return not there

    def _drain_workload(self, workload: Document) -> None:
        scaler = self._scaler(_name(workload))
        if scaler is not None:
            self._pause(scaler)
        else:
            self._scale_down(workload)
        self._wait(f"the end of {_name(workload)}", lambda: self._gone(workload))

    def _pause(self, scaler: Document) -> None:
        self.tell(f"pause scaledobject {_name(scaler)} at 0")
        self._annotate(self._scaler_path(scaler), {PAUSED_AT: "0"})

    def _scale_down(self, workload: Document) -> None:
        """Remember how many there were first: a drain that is cut short can be resumed."""
        path, replicas = self._deployment_path(workload), workload["spec"].get("replicas", 1)
        self.tell(f"scale {_name(workload)} from {replicas} to 0")
        if replicas:
            self._annotate(path, {_REPLICAS: str(replicas)})
        self.editor.patch(path, {"spec": {"replicas": 0}})

    def _resume_workload(self, workload: Document) -> None:
        scaler, name = self._scaler(_name(workload)), _name(workload)
        if scaler is not None:
            self.tell(f"let scaledobject {_name(scaler)} scale")
            self._annotate(
                self._path("keda.sh/v1alpha1", "scaledobjects", _name(scaler)), {PAUSED_AT: None, PAUSED: None}
            )
            return
        before = workload["metadata"].get("annotations", {}).get(_REPLICAS)
        if before is None:
            raise OpsError("NOT_DRAINED", f"{name} was not drained by this command: scale it by its values")
        self.tell(f"scale {name} to {before}")
        path = self._deployment_path(workload)
        self.editor.patch(path, {"spec": {"replicas": int(before)}, "metadata": {"annotations": {_REPLICAS: None}}})

    def _gone(self, workload: Document) -> bool:
        selector = workload["spec"]["selector"]["matchLabels"]
        there = self._pods(",".join(f"{key}={value}" for key, value in selector.items()))
        self._count(there)
        return not there

    def _count(self, pods: Sequence[Document], more: str = "") -> None:
        if pods:
            self.tell(f"{len(pods)} still run: {', '.join(map(_name, pods))}{more}")

    def _wait(self, what: str, is_over: Callable[[], bool]) -> None:
        wait_for(what, lambda: True if is_over() else None, self.clock, self.seconds)

    def _annotate(self, path: str, annotations: Mapping[str, str | None]) -> None:
        self.editor.patch(path, {"metadata": {"annotations": annotations}})

    def _node(self, name: str) -> Document | None:
        return self.cluster.one(f"{_NODES}/{name}")

    def _workload(self, name: str) -> Document:
        found = self.cluster.one(self._path("apps/v1", "deployments", name))
        if found is None:
            raise OpsError("SUBJECT_UNKNOWN", f"{name} is no node, and no Deployment of {self.scope.namespace}")
        return found

    def _scaler(self, workload: str) -> Document | None:
        found = self.cluster.items(self.scope.path("keda.sh/v1alpha1", "scaledobjects"), self.scope.labels)
        return next((each for each in found if each["spec"]["scaleTargetRef"]["name"] == workload), None)

    def _pods(self, labels: str) -> Sequence[Document]:
        return self.cluster.items(self.scope.path("v1", "pods"), labels)

    def _deployment_path(self, workload: Document) -> str:
        return self._path("apps/v1", "deployments", _name(workload))

    def _scaler_path(self, scaler: Document) -> str:
        return self._path("keda.sh/v1alpha1", "scaledobjects", _name(scaler))

    def _path(self, group: str, kind: str, name: str) -> str:
        return f"{self.scope.path(group, kind)}/{name}"


def drain(
    subject: Subject,
    timeout: Annotated[float, typer.Option(min=1, help="The longest wait, in seconds.")] = 600,
    namespace: Namespace = "pellicule",
    release: Release = "",
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Have a node or a workload finish what it has and take nothing more; `resume` takes it back."""
    with failures(as_json=as_json):
        _made(namespace, release, context, timeout).drain(subject)
        emit({"drained": subject}) if as_json else note(f"{subject} is drained")


def resume(
    subject: Subject,
    namespace: Namespace = "pellicule",
    release: Release = "",
    context: Context = None,
    as_json: Json = False,
) -> None:
    """Let a node or a workload take work again."""
    with failures(as_json=as_json):
        _made(namespace, release, context, 0).resume(subject)
        emit({"resumed": subject}) if as_json else note(f"{subject} takes work again")


def _made(namespace: str, release: str, context: str | None, seconds: float) -> Drain:
    cluster, _ = configured(context)
    from kubernetes import client

    editor = KubernetesEditor(client.ApiClient())
    return Drain(cluster, editor, MachineClock(), Scope(namespace, release), note, seconds)


def _is_on(pod: Document, node: str) -> bool:
    """Say whether a pod is on a node and has not ended: those of Jobs that have hold nothing."""
    return pod["spec"].get("nodeName") == node and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def _name(document: Document) -> str:
    name: str = document["metadata"]["name"]
    return name
