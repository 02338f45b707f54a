"""Models' servers in memory: a Deployment whose pods follow its template one by one, unless they are held."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.ops.checks.cluster import Document
from deploy.ops.editor import Patch
from deploy.ops.errors import OpsError

LABELS = {
    "app.kubernetes.io/part-of": "pellicule",
    "app.kubernetes.io/instance": "models",
    "app.kubernetes.io/name": "inference",
    "app.kubernetes.io/component": "server",
}
_APPS = "/apis/apps/v1/namespaces/pellicule/deployments"
_SERVING = "/apis/serving.kserve.io/v1beta1/namespaces/pellicule/inferenceservices"
_RUNTIMES = "/apis/serving.kserve.io/v1alpha1/namespaces/pellicule/servingruntimes"
_START_LOOKS = 6
"""A server takes longer to start than one looks whether it is there."""
CANARY = ["inference.canary", "--target=localhost:8001", "--ca-file=ca.crt", "--watch=10", "--timeout=25"]


class FakeServers:
    """Implements `Cluster` and `Editor`; each look is a moment in which a controller does one thing."""

    def __init__(self, *, kserve: bool = False, ready: bool = True) -> None:
        self.kserve, self.ready = kserve, ready
        self._starting = 0
        self.changes: list[tuple[str, Patch]] = []
        self.most_new = 0
        """New pods at a time at which the others were held."""
        containers = [{"name": "triton", "image": "triton:1"}, {"name": "canary", "image": "x", "args": CANARY}]
        fetch = {"name": "fetch", "args": ["inference.publishing", "r1", "/mnt/models"]}
        spec: dict[str, Any] = {"containers": containers, "initContainers": [fetch]}
        self.deployment: dict[str, Any] = {
            "metadata": {"name": "models", "generation": 1, "labels": LABELS},
            "spec": {"replicas": 2, "template": {"spec": spec}},
        }
        uri = "s3://models/repositories/r1"
        self.service: dict[str, Any] = {"spec": {"predictor": {"model": {"runtime": "models", "storageUri": uri}}}}
        self.runtime: dict[str, Any] = {"spec": {"containers": [{"name": "kserve-container", "image": "triton:1"}]}}
        self.pods = [copy.deepcopy(spec) for _ in range(2)]

    @property
    def template(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.deployment["spec"]["template"]["spec"]
        return spec

    def items(self, path: str, labels: str = "") -> Sequence[Document]:
        self._step()
        if path.endswith("/pods"):
            return [self._pod(index, spec) for index, spec in enumerate(self.pods)]
        served = {"metadata": {"name": "models"}}
        return [served] if path == (_SERVING if self.kserve else _APPS) else []

    def one(self, path: str) -> Document | None:
        self._step()
        updated = sum(spec == self.template for spec in self.pods)
        ready = updated if not self._starting and (self.ready or self._is_old()) else 0
        counts = {"replicas": len(self.pods), "updatedReplicas": updated, "availableReplicas": ready}
        status = {**counts, "observedGeneration": self.deployment["metadata"]["generation"], "conditions": []}
        name = "models-predictor" if self.kserve else "models"
        objects = {f"{_APPS}/{name}": {**self.deployment, "status": status}}
        return {**objects, f"{_SERVING}/models": self.service, f"{_RUNTIMES}/models": self.runtime}.get(path)

    def patch(self, path: str, patch: Patch) -> None:
        self.changes.append((path, patch))
        self.deployment["metadata"]["generation"] += 1
        if isinstance(patch, Mapping):
            self.deployment["spec"].update(patch["spec"])
            return
        for operation in patch:
            self._operate(self._object(path), operation)
        self._reconcile()

    def evict(self, namespace: str, pod: str) -> bool:
        raise AssertionError(f"a rollout evicts no pod: {namespace}/{pod}")

    def _object(self, path: str) -> Any:
        kind = path.split("/")[-2]
        return {"inferenceservices": self.service, "servingruntimes": self.runtime}.get(kind, self.deployment)

    def _operate(self, document: Any, operation: Mapping[str, Any]) -> None:
        *parents, last = operation["path"].strip("/").split("/")
        for each in parents:
            document = document[int(each) if isinstance(document, list) else each]
        key = int(last) if isinstance(document, list) else last
        if operation["op"] == "test" and document[key] != operation["value"]:
            raise OpsError("CHANGE_REFUSED", "test failed")
        document[key] = operation["value"]

    def _reconcile(self) -> None:
        """Do what KServe does with its objects."""
        if self.kserve:
            self.template["containers"][0]["image"] = self.runtime["spec"]["containers"][0]["image"]
            self.template["initContainers"][0]["args"][1] = self.service["spec"]["predictor"]["model"]["storageUri"]

    def _step(self) -> None:
        new = [spec for spec in self.pods if spec == self.template]
        self._starting = max(0, self._starting - 1)
        if self.deployment["spec"].get("paused"):
            self.most_new = max(self.most_new, len(new))
            return
        stuck = self._starting or (new and not self.ready and not self._is_old())
        if len(new) < len(self.pods) and not stuck:
            self.pods, self._starting = [*self.pods[1:], copy.deepcopy(self.template)], _START_LOOKS

    def _is_old(self) -> bool:
        return bool(self.template["containers"][0]["image"] == "triton:1")

    def _pod(self, index: int, spec: dict[str, Any]) -> Document:
        old = spec["containers"][0]["image"] == "triton:1"
        ready = old or (self.ready and not self._starting)
        conditions = [{"type": "Ready", "status": str(ready)}]
        return {"metadata": {"name": f"models-{index}"}, "spec": spec, "status": {"conditions": conditions}}
