"""Editor: the few changes that commands make to objects of a cluster."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from deploy.ops.checks.cluster import call
from deploy.ops.errors import OpsError

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Patch: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""A merge patch, or a list of JSON Patch's operations."""

_TOO_MANY = 429
_GONE = 404


class Editor(Protocol):
    """What can be changed.

    Every method raises `ReadRefused` where this account may not, and `ClusterUnreachable` where nothing answers.
    """

    def patch(self, path: str, patch: Patch) -> None:
        """Change an object.

        Raises:
            OpsError: CHANGE_REFUSED: the API did not take it; what was to be replaced is other than was seen.
        """

    def evict(self, namespace: str, pod: str) -> bool:
        """Have a pod end as it likes best; False while a disruption budget keeps it."""


class KubernetesEditor:
    """Implements `Editor` by Kubernetes' own client."""

    def __init__(self, client: "ApiClient") -> None:
        self._client = client

    def patch(self, path: str, patch: Patch) -> None:
        """Change an object."""
        kind = "merge-patch" if isinstance(patch, Mapping) else "json-patch"
        status, said = self._call("PATCH", path, patch, f"application/{kind}+json")
        if status >= 400:
            raise OpsError("CHANGE_REFUSED", f"{path} was not changed: {said}")

    def evict(self, namespace: str, pod: str) -> bool:
        """Have a pod end, within its disruption budget."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": namespace}}
        status, said = self._call("POST", path, body, "application/json")
        if status >= 400 and status not in (_TOO_MANY, _GONE):
            raise OpsError("EVICTION_REFUSED", f"{pod} was not evicted: {said}")
        return status != _TOO_MANY

    def _call(self, method: str, path: str, body: Patch, kind: str) -> tuple[int, str]:
        status, said = call(self._client, method, path, body=body, kind=kind)
        return status, said.decode(errors="replace")[:500]
