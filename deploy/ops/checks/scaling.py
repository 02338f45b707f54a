"""Checks of what scales a release, and of what keeps its pods from being taken away."""

from collections.abc import Iterator

from deploy.ops.checks.check import Check
from deploy.ops.checks.cluster import Cluster, Document
from deploy.ops.checks.scope import Scope

PAUSED = "autoscaling.keda.sh/paused"
PAUSED_AT = "autoscaling.keda.sh/paused-replicas"
_WORK_BEHIND = "docs/runbooks/PelliculeWorkBehind.md"


def scalers(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check for each ScaledObject; none where KEDA is not there."""
    for each in cluster.items(scope.path("keda.sh/v1alpha1", "scaledobjects"), scope.labels):
        name = f"scaledobject {each['metadata']['name']}"
        if _is_paused(each):
            target = each.get("spec", {}).get("scaleTargetRef", {}).get("name", "WORKLOAD")
            yield Check.warned(name, "is paused: nothing scales its workers", f"pellicule-ops resume {target}")
        else:
            remedy = "read its conditions and the log of keda-operator; its stream and consumer have to be there"
            yield Check.of(name, _unready(each), remedy, _WORK_BEHIND)


def budgets(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check for each disruption budget: one that allows nothing keeps nodes from being drained."""
    for each in cluster.items(scope.path("policy/v1", "poddisruptionbudgets"), scope.labels):
        remedy = "mend its pods, or have a replica more, before a node is drained"
        yield Check.warned(f"disruption budget {each['metadata']['name']}", _blocks(each), remedy)


def _blocks(budget: Document) -> str:
    status = budget.get("status", {})
    expected, healthy = status.get("expectedPods", 0), status.get("currentHealthy", 0)
    # Pods that serve nothing may always be taken away, if the budget says so.
    none_serves = not healthy and budget.get("spec", {}).get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
    blocks = expected and not status.get("disruptionsAllowed", 0) and not none_serves
    return f"allows no pod to be taken away: {healthy} of {expected} are healthy" if blocks else ""


def _is_paused(scaler: Document) -> bool:
    annotations = scaler["metadata"].get("annotations", {})
    return annotations.get(PAUSED) == "true" or PAUSED_AT in annotations or _status(scaler, "Paused") == "True"


def _unready(scaler: Document) -> str:
    if _status(scaler, "Ready") != "True":
        return f"is not ready: {_message(scaler) or 'KEDA has not looked at it'}"
    return "scales by its fallback: what it measures does not answer" if _status(scaler, "Fallback") == "True" else ""


def _status(scaler: Document, name: str) -> str:
    return str(_condition(scaler, name).get("status", ""))


def _message(scaler: Document) -> str:
    ready = _condition(scaler, "Ready")
    return " ".join(filter(None, (ready.get("reason", ""), ready.get("message", ""))))


def _condition(scaler: Document, name: str) -> Document:
    found = [each for each in scaler.get("status", {}).get("conditions", []) if each["type"] == name]
    return found[0] if found else {}
