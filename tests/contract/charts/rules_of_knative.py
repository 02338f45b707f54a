"""What Knative refuses of a pod (its CRD lets it through, its webhook does not), and what it needs of ours."""

from collections.abc import Iterator

from tests.contract.charts.pods import Pod

_POD = frozenset(
    {"serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "imagePullSecrets", "containers",
     "volumes", "containerConcurrency", "timeoutSeconds"}
)  # fmt: skip
_CONTAINER = frozenset(
    {"name", "image", "imagePullPolicy", "args", "command", "env", "envFrom", "ports", "resources", "securityContext",
     "volumeMounts", "startupProbe", "readinessProbe", "livenessProbe", "workingDir"}
)  # fmt: skip
_SOURCES = frozenset({"secret", "configMap", "serviceAccountToken"})
_VOLUMES = frozenset({"name", "secret", "configMap", "projected", "emptyDir"})
_TAKEN_PORTS = frozenset({8012, 8013, 8022, 8112, 9090, 9091})
_LONGEST_SECONDS = 600


def taken_by_knative(pod: Pod) -> Iterator[str]:
    """Give Knative no more than it takes."""
    if not pod.is_knative:
        return
    yield from (f"{name} is none of a pod's that Knative takes" for name in sorted(pod.spec.keys() - _POD))
    if pod.spec.get("timeoutSeconds", 0) > _LONGEST_SECONDS:
        yield f"timeoutSeconds is more than {_LONGEST_SECONDS}"
    for volume in pod.volumes.values():
        yield from _refused_of_volume(volume)
    for container in pod.containers:
        yield from (
            f"{name} is none of a container's that Knative takes" for name in sorted(container.keys() - _CONTAINER)
        )
        yield from _refused_ports(container.get("ports", []))
        references = {key for row in container.get("env", []) for key in row.get("valueFrom", {})}
        yield from (f"a variable comes from {key}" for key in sorted(references - {"secretKeyRef", "configMapKeyRef"}))


def _refused_of_volume(volume: dict[str, dict[str, list[dict[str, object]]]]) -> Iterator[str]:
    yield from (f"volume {volume['name']} is a {kind}" for kind in sorted(volume.keys() - _VOLUMES))
    if "projected" in volume:
        kinds = {kind for source in volume["projected"]["sources"] for kind in source}
        yield from (f"volume {volume['name']} takes from {kind}" for kind in sorted(kinds - _SOURCES))


def _refused_ports(ports: list[dict[str, object]]) -> Iterator[str]:
    if len(ports) != 1:
        yield f"it has {len(ports)} ports; Knative takes one"
    for port in ports:
        if port.get("name") not in ("h2c", "http1"):
            yield f"port {port.get('name')}: is named by the protocol, h2c or http1"
        if port["containerPort"] in _TAKEN_PORTS:
            yield f"port {port['containerPort']}: Knative's own"


def gates_stay(pod: Pod) -> Iterator[str]:
    """Keep a replica of what everything asks."""
    gate = pod.labels.get("app.kubernetes.io/name") in ("consent", "retention")
    least = pod.owner.at(
        "spec", "template", "metadata", "annotations", "autoscaling.knative.dev/min-scale", default="0"
    )
    if pod.is_knative and gate and int(least) < 1:
        yield "everything asks it, and it goes to zero"
