"""A cluster that has everything, and a release on it of which nothing is wrong; objects are as the API returns them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.declarations import SERVICES
from deploy.ops.checks.pieces import PIECES
from tests.fakes.cluster import FakeCluster, condition

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NAMESPACE = "pellicule"
DEPLOYMENTS = "/apis/apps/v1/deployments"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
WORKLOADS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
SCALERS = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects"
BUDGETS = f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets"
CERTIFICATES = f"/apis/cert-manager.io/v1/namespaces/{NAMESPACE}/certificates"
CRONJOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/cronjobs"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
SERVED = f"/apis/serving.kserve.io/v1beta1/namespaces/{NAMESPACE}/inferenceservices"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


def with_everything() -> FakeCluster:
    """Return a cluster that has all that the charts need."""
    made = FakeCluster()
    made.objects["/version"] = {"major": "1", "minor": "34+"}
    for piece in PIECES.values():
        for kind, version in piece.kinds.items():
            made.define(kind, "v1alpha0", version)
        for labels in piece.controllers:
            name, value = labels.split("=")
            made.add(DEPLOYMENTS, value, labels={name: value}, status={"availableReplicas": 1})
        for path, ready in piece.ready.items():
            made.add(path, "one", status=condition(ready))
    made.add(CLASSES, "standard", volumeBindingMode="WaitForFirstConsumer")["metadata"]["annotations"] = DEFAULT
    made.add("/api/v1/namespaces", "pellicule", labels={"pod-security.kubernetes.io/enforce": "restricted"})
    made.add("/apis/apps/v1/daemonsets", "cilium")
    made.add("/apis/apiregistration.k8s.io/v1/apiservices", "v1beta1.metrics.k8s.io", status=condition("Available"))
    made.add("/api/v1/nodes", "gpu", status={**condition("Ready"), "allocatable": {"nvidia.com/gpu": "1"}})
    return made


def with_release() -> FakeCluster:
    """Return the same with a release that is well."""
    made = with_everything()
    for service in SERVICES:
        _add_service(made, service)
    labels = labels_of("inference", "server")
    times = {"lastScheduleTime": "2026-12-01T03:00:00Z", "lastSuccessfulTime": "2026-12-01T03:00:09Z"}
    made.add(CRONJOBS, "pellicule-ingest-prepare", labels=labels_of("ingest", "prepare"), status=times)
    ready = [{"type": "PredictorReady", "status": "True"}, {"type": "Ready", "status": "True"}]
    made.add(SERVED, "pellicule-inference", labels=labels_of("inference", "server"), status={"conditions": ready})
    gpu = {"resources": {"limits": {"memory": "16Gi", "nvidia.com/gpu": "1"}}, "name": "triton"}
    made.add(WORKLOADS, "pellicule-inference", labels=labels, **deployment(gpu))
    renewed = (NOW - timedelta(seconds=4)).isoformat().replace("+00:00", "Z")
    made.add(LEASES, "gpu", spec={"holderIdentity": "gpu", "leaseDurationSeconds": 40, "renewTime": renewed})
    return made


def labels_of(service: str, component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/part-of": "pellicule",
        "app.kubernetes.io/instance": "pellicule",
        "app.kubernetes.io/name": service,
        "app.kubernetes.io/component": component,
    }


def deployment(container: dict[str, Any]) -> dict[str, Any]:
    return {
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "readyReplicas": 1,
            "availableReplicas": 1,
            "conditions": [
                {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
                {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
            ],
        },
    }


def _add_service(cluster: FakeCluster, service: str) -> None:
    name, labels = f"pellicule-{service}-upkeep", labels_of(service, "upkeep")
    cluster.add(WORKLOADS, name, labels=labels, **deployment({"name": service, "resources": {}}))
    state = {"running": {"startedAt": "2026-12-01T09:39:13Z"}}
    status = {"name": service, "ready": True, "restartCount": 0, "state": state, "lastState": {}}
    cluster.add(PODS, f"{name}-1", labels=labels, status={"phase": "Running", "containerStatuses": [status]})
    budget = {"currentHealthy": 1, "desiredHealthy": 0, "disruptionsAllowed": 1, "expectedPods": 1}
    cluster.add(BUDGETS, name, labels=labels, spec={"maxUnavailable": 1}, status=budget)
    conditions = [
        {"type": "Ready", "status": "True", "reason": "ScaledObjectReady"},
        {"type": "Active", "status": "False", "reason": "ScalerNotActive"},
        {"type": "Fallback", "status": "False", "reason": "NoFallbackFound"},
        {"type": "Paused", "status": "Unknown"},
    ]
    cluster.add(SCALERS, f"pellicule-{service}-worker", labels=labels, status={"conditions": conditions})
    ready = [{"type": "Ready", "status": "True", "reason": "Ready", "message": "Certificate is up to date"}]
    times = {"notAfter": "2027-02-01T00:00:00Z", "renewalTime": "2027-01-01T00:00:00Z"}
    cluster.add(CERTIFICATES, f"pellicule-{service}", labels=labels, status={"conditions": ready, **times})
