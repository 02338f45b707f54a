"""Checks of the nodes' clocks, by the times that their kubelets write into their leases."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from deploy.ops.checks.check import Check
from deploy.ops.checks.cluster import Cluster, Document

_AHEAD = timedelta(seconds=5)
_BEHIND = timedelta(seconds=30)
"""A lease is renewed every 10 s; a node that does not for 40 s is lost."""
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
_REMEDY = "set the node's clock by NTP: tokens, epochs and deadlines go by it; or this machine's, if all nodes are off"


def clocks(cluster: Cluster, now: datetime) -> Iterator[Check]:
    """Yield a check for each node, against the clock of this machine."""
    ready = {each["metadata"]["name"] for each in cluster.items("/api/v1/nodes") if _is_ready(each)}
    for lease in cluster.items(_LEASES):
        name, said = lease["metadata"]["name"], lease.get("spec", {}).get("renewTime")
        if name in ready and said:
            yield Check.of(f"clock of node {name}", _wrong(datetime.fromisoformat(said) - now), _REMEDY)
        else:
            yield Check.unknown(f"clock of node {name}", "the node is not ready", "look at `kubectl describe node`")


def _wrong(ahead: timedelta) -> str:
    if ahead > _AHEAD:
        return f"is {ahead.total_seconds():.0f} s ahead of this machine's"
    return f"is {-ahead.total_seconds():.0f} s behind this machine's" if -ahead > _BEHIND else ""


def _is_ready(node: Document) -> bool:
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
