"""Run of a rollout: one new server, known answers, then all of them; or back to what was there."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from deploy.ops.checks.cluster import Cluster, ClusterUnreachable, Document, ReadRefused
from deploy.ops.checks.scope import Scope
from deploy.ops.editor import Editor
from deploy.ops.errors import OpsError
from deploy.ops.pods import CommandLost, Container, Pods
from deploy.ops.rollout.plan import SERVER, Edit, Plan
from deploy.ops.waiting import Clock, wait_for

Told: TypeAlias = Callable[[str], None]

_PYTHON = ("/opt/pellicule/bin/python", "-m")
_WATCHING = ("--watch", "--timeout", "--patience", "--health", "--certificate", "--restart-within")
"""Options of the canary that watches a server from beside it; a single round has its own."""
_ROUND_SECONDS = 300


@dataclass(frozen=True)
class Means:
    """What a rollout is done with.

    Attributes:
        cluster: What is looked at.
        editor: What is changed.
        pods: Where servers are asked.
        clock: What is waited by.
        tell: Told of each step.
        seconds: The longest wait for one step.
        paint: Whether models that take seconds are asked for their answers as well.
    """

    cluster: Cluster
    editor: Editor
    pods: Pods
    clock: Clock
    tell: Told
    seconds: float = 900.0
    paint: bool = False


class Rollout:
    """A rollout that runs, or is taken back."""

    def __init__(self, plan: Plan, scope: Scope, means: Means) -> None:
        self._plan, self._scope, self._means = plan, scope, means
        self._applied: list[Edit] = []
        self._generation = 0

    def run(self) -> None:
        """Promote what gives the known answers.

        Raises:
            OpsError: ROLLED_BACK, or ROLLBACK_FAILED: then somebody has to look.
        """
        self._refuse_unsettled()
        try:
            self._forward()
        except (OpsError, ReadRefused, CommandLost, ClusterUnreachable, KeyboardInterrupt) as error:
            self._back(error)

    def _forward(self) -> None:
        self._apply()
        self._wait("a new server", self._first_new)
        self._pause(paused=True)
        self._ask(self._wait("it to be ready", self._first_ready))
        self._means.tell("promote")
        self._pause(paused=False)
        self._wait("all servers", self._complete_and_new)
        for pod in self._new():
            self._ask(pod)

    def _apply(self) -> None:
        for edit in self._plan.edits:
            self._means.tell(f"set {edit.pointer} of {edit.path.rpartition('/')[2]}: {edit.old} -> {edit.new}")
            self._means.editor.patch(edit.path, edit.patch)
            self._applied.append(edit)

    def _back(self, error: BaseException) -> None:
        why = str(error) or type(error).__name__
        self._means.tell(f"roll back: {why}")
        try:
            self._restore()
        except (OpsError, ReadRefused, ClusterUnreachable) as failure:
            raise OpsError("ROLLBACK_FAILED", f"{why}; and then, on the way back: {failure}") from error
        raise OpsError("ROLLED_BACK", why) from error

    def _restore(self) -> None:
        reached = self._deployment()["metadata"].get("generation", 0)
        for edit in reversed(self._applied):
            self._means.editor.patch(edit.path, edit.back.patch)
        self._pause(paused=False)
        # KServe takes its time: until it has acted, what is complete is what was rolled out.
        acted = reached == self._generation or not self._applied
        self._wait("the servers of before", lambda: self._complete(0 if acted else reached + 1))

    def _pause(self, *, paused: bool) -> None:
        if self._plan.pauses:
            self._means.tell("hold the others" if paused else "let the others follow")
            self._means.editor.patch(self._plan.deployment, {"spec": {"paused": paused or None}})

    def _refuse_unsettled(self) -> None:
        deployment = self._deployment()
        self._generation = deployment["metadata"].get("generation", 0)
        if not deployment["spec"].get("replicas", 1):
            raise OpsError("NO_SERVER", "no server runs that could be replaced: have one at least, then come again")
        if not _is_complete(deployment):
            raise OpsError("NOT_SETTLED", "the servers of now are not all ready: pellicule-ops doctor says why")

    def _first_new(self) -> Document | None:
        _refuse_stalled(self._deployment())
        return next(iter(self._new()), None)

    def _first_ready(self) -> Document | None:
        _refuse_stalled(self._deployment())
        return next((pod for pod in self._new() if _condition(pod, "Ready").get("status") == "True"), None)

    def _complete_and_new(self) -> Document | None:
        deployment = self._deployment()
        _refuse_stalled(deployment)
        return deployment if _is_complete(deployment) and self._new() else None

    def _complete(self, generation: int) -> Document | None:
        deployment = self._deployment()
        reached = deployment["metadata"].get("generation", 0) >= generation
        return deployment if reached and _is_complete(deployment) else None

    def _ask(self, pod: Document) -> None:
        """Have a server give its known answers, in its own pod.

        Raises:
            OpsError: CANARY_FAILED.
        """
        self._means.tell(f"ask {_name(pod)} for known answers")
        container = Container(self._scope.namespace, _name(pod), "canary")
        ran = self._means.pods.run(container, canary_command(pod, paint=self._means.paint), _ROUND_SECONDS)
        if ran.status:
            raise OpsError("CANARY_FAILED", f"{_name(pod)}: {_wrong(ran.output) or ran.errors.strip()[-500:]}")

    def _wait(self, what: str, look: Callable[[], Document | None]) -> Document:
        self._means.tell(f"wait for {what}")
        return wait_for(what, look, self._means.clock, self._means.seconds)

    def _deployment(self) -> Document:
        found = self._means.cluster.one(self._plan.deployment)
        if found is None:
            raise OpsError("OBJECT_MISSING", f"{self._plan.deployment} is not there")
        return found

    def _new(self) -> Sequence[Document]:
        """Return the servers that have what is rolled out, wherever a mode puts it in a pod."""
        found = self._means.cluster.items(self._scope.path("v1", "pods"), f"{self._scope.labels},{SERVER}")
        staying = [each for each in found if "deletionTimestamp" not in each["metadata"]]
        values = [json.dumps(edit.new) for edit in self._plan.edits]
        return [each for each in staying if all(value in json.dumps(each["spec"]) for value in values)]


def canary_command(pod: Document, *, paint: bool) -> Sequence[str]:
    """Return the command of one round, with what the canary beside the server is told of it.

    Raises:
        OpsError: CANARY_MISSING.
    """
    beside = [each for each in pod["spec"]["containers"] if each["name"] == "canary"]
    if not beside:
        raise OpsError("CANARY_MISSING", f"{_name(pod)} has no container `canary`: it is not of charts/inference")
    told = [each for each in beside[0]["args"] if not each.startswith(_WATCHING)]
    return (*_PYTHON, *told, *(["--paint"] if paint else []))


def _is_complete(deployment: Document) -> bool:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    counts = {status.get(each, 0) for each in ("replicas", "updatedReplicas", "availableReplicas")}
    return bool(seen and counts == {wanted})


def _refuse_stalled(deployment: Document) -> None:
    progressing = _condition(deployment, "Progressing")
    seen = deployment.get("status", {}).get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    if seen and progressing.get("reason") == "ProgressDeadlineExceeded":
        raise OpsError("STALLED", str(progressing.get("message", "the servers do not become ready")))


def _condition(document: Document, name: str) -> Document:
    found = [each for each in document.get("status", {}).get("conditions", []) if each["type"] == name]
    return found[0] if found else {}


def _wrong(output: str) -> str:
    """Return what was wrong with which model; nothing if the canary did not say, but fell."""
    try:
        models: list[dict[str, Any]] = json.loads(output.strip().splitlines()[-1])["models"]
    except (IndexError, ValueError, KeyError):
        return ""
    return "; ".join(each["message"] for each in models if each["outcome"] == "wrong")


def _name(document: Document) -> str:
    name: str = document["metadata"]["name"]
    return name
