"""Checks of a release's workloads: replicas that are ready, pods that start again and again, Jobs that failed."""

from collections.abc import Iterator

from deploy.ops.checks.check import Check
from deploy.ops.checks.cluster import Cluster, Document
from deploy.ops.checks.scope import Scope

_MANY_RESTARTS = 3
_SERVED = (("serving.knative.dev/v1", "services"), ("serving.kserve.io/v1beta1", "inferenceservices"))
_STUCK = frozenset(
    {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "CreateContainerConfigError", "CreateContainerError"}
)


def workloads(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check for each Deployment and StatefulSet of the release; that there is none is wrong."""
    found = [
        each
        for kind in ("deployments", "statefulsets")
        for each in cluster.items(scope.path("apps/v1", kind), scope.labels)
    ]
    if not found:
        where = f"no workload in namespace {scope.namespace} has the labels {scope.labels}"
        yield Check.of("workloads", where, "name the namespace and the release: --namespace, --release")
    for each in found:
        yield Check.of(f"workload {_name(each)}", _lacking(each), f"kubectl describe its pods: {scope.kubectl}")


def served(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check for each service that Knative or KServe runs; none where they are not there."""
    for group, kind in _SERVED:
        for each in cluster.items(scope.path(group, kind), scope.labels):
            unready = _condition(each, "Ready", "False") or _condition(each, "Ready", "Unknown")
            ready = _condition(each, "Ready") is not None
            why = unready.get("message") or unready.get("reason", "") if unready else "its controller has not seen it"
            remedy = f"kubectl describe --namespace {scope.namespace} {kind}.{group.partition('/')[0]}/{_name(each)}"
            yield Check.of(f"{kind.removesuffix('s')} {_name(each)}", "" if ready else f"is not ready: {why}", remedy)


def pods(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check for each container that cannot run, or did not at some time, and one if there is none."""
    found = [check for pod in cluster.items(scope.path("v1", "pods"), scope.labels) for check in _pod(pod, scope)]
    yield from found or [Check("pods: restarts")]


def jobs(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check for each Job of the release; one of Helm's hooks that failed stays until the next try."""
    for job in cluster.items(scope.path("batch/v1", "jobs"), scope.labels):
        failed = _condition(job, "Failed")
        wrong = f"failed: {failed.get('reason', '')} {failed.get('message', '')}".strip() if failed else ""
        remedy = f"kubectl logs --namespace {scope.namespace} job/{_name(job)}, mend it, and run helm upgrade again"
        yield Check.of(f"job {_name(job)}", wrong, remedy)


def cronjobs(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check for each CronJob, which repairs what has drifted: its last run has to have succeeded."""
    for each in cluster.items(scope.path("batch/v1", "cronjobs"), scope.labels):
        status = each.get("status", {})
        begun, succeeded = status.get("lastScheduleTime", ""), status.get("lastSuccessfulTime", "")
        # Times of one format and zone: they compare as they are.
        failed = begun > succeeded and not status.get("active")
        wrong = f"its run of {begun} did not succeed" if failed else ""
        remedy = f"look at the pods of its Jobs: kubectl get jobs --namespace {scope.namespace}"
        yield Check.of(f"cronjob {_name(each)}", wrong, remedy)


def gpus(cluster: Cluster, scope: Scope) -> Iterator[Check]:
    """Yield a check if a workload of the release asks for GPUs: some node has to offer them."""
    asking = [
        _name(each) for each in cluster.items(scope.path("apps/v1", "deployments"), scope.labels) if _asks_gpu(each)
    ]
    if not asking:
        return
    nodes = cluster.items("/api/v1/nodes")
    offered = any(int(each.get("status", {}).get("allocatable", {}).get("nvidia.com/gpu", "0")) for each in nodes)
    wrong = "" if offered else f"{', '.join(asking)} wants nvidia.com/gpu, and no node offers it"
    remedy = "add a node with a GPU and NVIDIA's device plugin, or set processor: cpu (docs/gpu.md)"
    yield Check.of("gpu nodes", wrong, remedy, "docs/runbooks/PelliculeModelUnavailable.md")


def _lacking(workload: Document) -> str:
    wanted = workload["spec"].get("replicas", 1)
    status = workload.get("status", {})
    ready = status.get("readyReplicas", 0)
    stalled = _condition(workload, "Progressing", "False")
    why = f": {stalled.get('message', '')}" if stalled else ""
    old = status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0)
    if old:
        return "its controller has not seen its newest specification"
    return f"{ready} of {wanted} replicas are ready{why}" if ready < wanted or stalled else ""


def _pod(pod: Document, scope: Scope) -> Iterator[Check]:
    for status in pod.get("status", {}).get("containerStatuses", []):
        waiting = status.get("state", {}).get("waiting", {})
        name = f"pod {_name(pod)}: {status['name']}"
        logs = f"kubectl logs --previous --namespace {scope.namespace} {_name(pod)} -c {status['name']}"
        if waiting.get("reason") in _STUCK:
            yield Check.of(name, f"{waiting['reason']}, {_restarted(status)}", logs)
        elif status.get("restartCount", 0) >= _MANY_RESTARTS:
            yield Check.warned(name, _restarted(status), logs)


def _restarted(status: Document) -> str:
    ended = status.get("lastState", {}).get("terminated", {})
    why = f", last with {ended.get('reason', '')} (exit code {ended.get('exitCode')})" if ended else ""
    return f"restarted {status.get('restartCount', 0)} times{why}"


def _condition(document: Document, name: str, status: str = "True") -> Document | None:
    conditions = document.get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == name and each["status"] == status), None)


def _asks_gpu(workload: Document) -> bool:
    containers = workload["spec"].get("template", {}).get("spec", {}).get("containers", [])
    return any("nvidia.com/gpu" in each.get("resources", {}).get("limits", {}) for each in containers)


def _name(document: Document) -> str:
    name: str = document["metadata"]["name"]
    return name
