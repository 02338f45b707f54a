"""Objects broken on purpose: each rule has one that it refuses, so that none lets everything in."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, TypeAlias

from deploy.charts.rendering import Object

Breaking: TypeAlias = Callable[[Sequence[Object]], Sequence[Object]]

SERVER, WORKER, ROLE = (
    "Deployment/pellicule-ingest",
    "Deployment/pellicule-analysis-worker",
    "Role/pellicule-retention-epochs",
)
CONTAINER = ("spec", "template", "spec", "containers", 0)
POD = ("spec", "template", "spec")
Path: TypeAlias = tuple[str | int, ...]


def _with(identity: str, path: Path, value: Any) -> Breaking:
    """Set what stands at a path of one object; None takes it away."""

    def broken(objects: Sequence[Object]) -> Sequence[Object]:
        changed = [Object(deepcopy(each.document)) if each.identity == identity else each for each in objects]
        (target,) = [each.document for each in changed if each.identity == identity]
        for key in path[:-1]:
            target = target[key]  # type: ignore[index]
        if value is None:
            del target[path[-1]]  # type: ignore[arg-type]
        else:
            target[path[-1]] = value  # type: ignore[index]
        return changed

    return broken


def _without(kind: str) -> Breaking:
    return lambda objects: [each for each in objects if each.kind != kind]


def _and(document: dict[str, Any]) -> Breaking:
    return lambda objects: [*objects, Object(document)]


_SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "root-key"}}
_TOKEN = {"name": "tmp", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
_PODS_OF_ALL = {"podSelector": {}, "policyTypes": ["Ingress"]}
_ALL_PORTS: list[dict[str, Any]] = [{"from": [{"podSelector": {}}]}]
_NOWHERE = [{"ports": [{"port": 5432}]}]
_CERTIFICATE_ALONE = [{"key": "tls.crt", "path": "tls.crt"}]
_MISSPELT = {"app.kubernetes.io/name": "ingst"}

BROKEN: Mapping[str, Breaking] = {
    "no_secret": _and(_SECRET),
    "named": _with(SERVER, ("metadata", "labels"), {}),
    "own_accounts": _with(SERVER, (*POD, "serviceAccountName"), "default"),
    "one_service_an_account": _with(SERVER, (*POD, "serviceAccountName"), "pellicule-consent"),
    "tokens_used": _with(SERVER, (*POD, "volumes", 0), _TOKEN),
    "small_rights": _with(ROLE, ("rules", 0, "resourceNames"), None),
    "selectors_match": _with("Service/pellicule-ingest", ("spec", "selector"), _MISSPELT),
    "scaled_by_one": _with(WORKER, ("spec", "replicas"), 1),
    "disruption_bounded": _without("PodDisruptionBudget"),
    "hooks_stand_alone": _with("Job/pellicule-ingest-prepare", (*POD, "serviceAccountName"), "pellicule-ingest"),
    "denied_by_default": _with("NetworkPolicy/pellicule-default-deny", ("spec",), _PODS_OF_ALL),
    "ports_named_in_policies": _with("NetworkPolicy/pellicule-ingest-public", ("spec", "ingress"), _ALL_PORTS),
    "types_said": _with("NetworkPolicy/pellicule-ingest-egress", ("spec", "policyTypes"), None),
    "let_in_where_it_listens": _with("NetworkPolicy/pellicule-ingest-public", ("spec", "ingress"), _NOWHERE),
    "restricted": _with(SERVER, (*CONTAINER, "securityContext", "readOnlyRootFilesystem"), False),
    "probed": _with(SERVER, (*CONTAINER, "readinessProbe"), None),
    "alive_is_not_ready": _with(SERVER, (*CONTAINER, "livenessProbe"), {"grpc": {"port": 8081}}),
    "bounded": _with(SERVER, (*CONTAINER, "resources", "requests", "memory"), "1Ti"),
    "tokenless": _with(SERVER, (*POD, "automountServiceAccountToken"), True),
    "mounted": _with(SERVER, (*CONTAINER, "volumeMounts", 0, "name"), "temp"),
    "files_there": _with(SERVER, (*POD, "volumes", 2, "secret", "items"), _CERTIFICATE_ALONE),
    "told_once": _with(SERVER, (*CONTAINER, "env", 1, "name"), "PELLICULE_ROLES"),
    "patient": _with(SERVER, (*POD, "terminationGracePeriodSeconds"), 5),
    "named_image": _with(SERVER, (*CONTAINER, "image"), "pellicule:latest"),
    "plain_ports": _with(SERVER, (*CONTAINER, "ports", 0, "name"), None),
    "spread": _with(SERVER, (*POD, "topologySpreadConstraints", 0, "labelSelector", "matchLabels"), _MISSPELT),
    "finite": _with("Job/pellicule-ingest-prepare", ("spec", "backoffLimit"), None),
}

IN_PRODUCTION: Mapping[str, Breaking] = {"digested": _with(SERVER, (*CONTAINER, "image"), "pellicule:1.0.0")}

# What Knative refuses, each tried against Knative's own validation.
_KNATIVE = "Service/pellicule-ingest-public"
_PORTS = (*CONTAINER, "ports")
REFUSED_BY_KNATIVE: Mapping[str, Breaking] = {
    "a port named grpc": _with(_KNATIVE, (*_PORTS, 0, "name"), "grpc"),
    "a second port": _with(_KNATIVE, _PORTS, [{"name": "h2c", "containerPort": 8080}, {"containerPort": 9464}]),
    "a port of its own": _with(_KNATIVE, (*_PORTS, 0, "containerPort"), 9090),
    "the pod's security context": _with(_KNATIVE, (*POD, "securityContext"), {"runAsNonRoot": True}),
    "topology spread": _with(_KNATIVE, (*POD, "topologySpreadConstraints"), []),
    "a node selector": _with(_KNATIVE, (*POD, "nodeSelector"), {"disk": "fast"}),
    "a grace period": _with(_KNATIVE, (*POD, "terminationGracePeriodSeconds"), 60),
    "preStop": _with(_KNATIVE, (*CONTAINER, "lifecycle"), {"preStop": {"sleep": {"seconds": 5}}}),
    "a long timeout": _with(_KNATIVE, (*POD, "timeoutSeconds"), 601),
    "a field of the pod": _with(_KNATIVE, (*CONTAINER, "env", 0), {"name": "POD", "valueFrom": {"fieldRef": {}}}),
}
GATE_AT_ZERO = _with(
    "Service/pellicule-consent-public",
    ("spec", "template", "metadata", "annotations", "autoscaling.knative.dev/min-scale"),
    "0",
)
