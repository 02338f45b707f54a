"""Controllers of others on a cluster: what is not there is left out, and said."""

from typing import Final

from tests.cluster.harness.programs import Cluster

_DEPLOYMENTS: Final = {
    "cert-manager": "app.kubernetes.io/name=cert-manager",
    "Knative Serving": "app.kubernetes.io/name=knative-serving",
    "KServe": "control-plane=kserve-controller-manager",
}
_WORKLOADS: Final = "deployments.apps,statefulsets.apps"


def has_controller(cell: Cluster, name: str) -> bool:
    """Tell whether a controller runs somewhere on the cluster."""
    if name == "KEDA":
        # Its second half is an extension of the API, however it was started.
        service = "v1beta1.external.metrics.k8s.io"
        return bool(cell.kubectl("get", "apiservice", service, "--ignore-not-found", "-o", "name").strip())
    found = cell.kubectl("get", _WORKLOADS, "--all-namespaces", f"--selector={_DEPLOYMENTS[name]}", "-o", "name")
    return bool(found.strip())


def left_out(name: str, what: str) -> str:
    """Return why a story is not told."""
    return f"{name}'s controllers are not on this cluster: {what} is left out"
