"""What we let into a cluster: rules about a pod and its containers. Each yields what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from deploy.charts.rendering import Object
from tests.contract.charts.pods import Pod, environment, pods

PodRule = Callable[[Pod], Iterator[str]]

_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)
_HOST = ("hostNetwork", "hostPID", "hostIPC", "hostUsers")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_UNITS = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_STOP = ("PELLICULE_DRAIN_SECONDS", "PELLICULE_STOP_GRACE_SECONDS")


def restricted(pod: Pod) -> Iterator[str]:
    """Hold it to PodSecurity `restricted`, on the container, with a root that cannot be written."""
    yield from (f"{name} is set" for name in _HOST if pod.spec.get(name))
    for volume in pod.volumes.values():
        yield from (f"volume {volume['name']} is a {kind}" for kind in volume.keys() - {"name"} - _VOLUMES)
    for container in pod.containers:
        yield from (f"{container['name']}: {wrong}" for wrong in _unconfined(container))


def _unconfined(container: dict[str, Any]) -> Iterator[str]:
    context = container.get("securityContext", {})
    wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "runAsNonRoot": True}
    yield from (f"{name} is not {value}" for name, value in wanted.items() if context.get(name) is not value)
    if context.get("capabilities") != {"drop": ["ALL"]}:
        yield "keeps capabilities"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    if not context.get("runAsUser"):
        yield "is root, or whom the image says"
    if context.get("privileged") or any("hostPort" in port for port in container.get("ports", [])):
        yield "has the host"


def probed(pod: Pod) -> Iterator[str]:
    """Ask whatever serves whether it has started, lives and serves, on a port that its pod has."""
    for container in pod.spec["containers"] if pod.lasts else ():
        ports = set(pod.ports.values())
        for name in _PROBES:
            how = container.get(name, {})
            port = _probed_port(how)
            if port is None:
                yield f"{container['name']}: no {name}"
            elif port not in ports | {port["name"] for port in container["ports"] if "name" in port}:
                yield f"{container['name']}: {name} asks port {port}, which it does not have"


def _probed_port(probe: dict[str, Any]) -> object:
    handlers = (probe.get(kind) for kind in ("grpc", "httpGet", "tcpSocket"))
    return next((handler["port"] for handler in handlers if handler), None)


def alive_is_not_ready(pod: Pod) -> Iterator[str]:
    """Restart no process that only waits for a server: liveness asks for less than readiness."""
    for container in pod.spec["containers"] if pod.lasts else ():
        ready, alive = (container.get(name, {}).get("grpc") for name in ("readinessProbe", "livenessProbe"))
        if ready is not None and ready == alive:
            yield f"{container['name']}: liveness asks what readiness asks"


def bounded(pod: Pod) -> Iterator[str]:
    """Have every container ask for what it needs, and never for more than it may have."""
    for container in pod.containers:
        asked, given = (container.get("resources", {}).get(name, {}) for name in ("requests", "limits"))
        yield from (f"{container['name']}: asks for no {what}" for what in ("cpu", "memory") if what not in asked)
        if "memory" not in given:
            yield f"{container['name']}: its memory has no limit"
        for what in asked.keys() & given.keys():
            if quantity(asked[what]) > quantity(given[what]):
                yield f"{container['name']}: asks for more {what} than it may have"


def quantity(text: object) -> float:
    """Return what a quantity such as `100m` or `2Gi` is."""
    number = str(text)
    unit = next((unit for unit in sorted(_UNITS, key=len, reverse=True) if number.endswith(unit)), "")
    return float(number.removesuffix(unit)) * _UNITS.get(unit, 1.0)


def tokenless(pod: Pod) -> Iterator[str]:
    """Mount no token by itself, and no addresses of neighbours as variables."""
    if pod.kind != "ServingRuntime":
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield "a token is mounted by itself"
        if pod.spec.get("enableServiceLinks") is not False:
            yield "addresses of Services come as variables, which may begin like settings"


def mounted(pod: Pod) -> Iterator[str]:
    """Mount what there is, and have nothing that is not mounted."""
    used = {mount["name"] for container in pod.containers for mount in container.get("volumeMounts", [])}
    yield from (f"volume {name} is mounted and not there" for name in sorted(used - pod.volumes.keys()))
    yield from (f"volume {name} is there and not mounted" for name in sorted(pod.volumes.keys() - used))
    for container in pod.containers:
        paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
        yield from (f"two volumes at {path}" for path in {path for path in paths if paths.count(path) > 1})


def files_there(pod: Pod) -> Iterator[str]:
    """Mount every file that the environment names, but in what prepares, which needs none of them."""
    for container in pod.containers:
        roots = {mount["mountPath"]: pod.volumes.get(mount["name"], {}) for mount in container.get("volumeMounts", [])}
        for name, value in environment(container).items():
            if name.endswith("_FILE") and value and pod.labels.get("app.kubernetes.io/component") != "prepare":
                folder, _, file = value.rpartition("/")
                if file not in _files(roots.get(folder, {})):
                    yield f"{name}: {value} is in no volume"


def _files(volume: dict[str, Any]) -> set[str]:
    if "secret" in volume:
        items = volume["secret"].get("items")
        return {item["path"] for item in items} if items else {"ca.crt", "tls.crt", "tls.key"}
    sources = [kind for source in volume.get("projected", {}).get("sources", []) for kind in source.values()]
    named = {item["path"] for kind in sources for item in kind.get("items", [])}
    return named | {kind["path"] for kind in sources if "path" in kind}  # a token's


def told_once(pod: Pod) -> Iterator[str]:
    """Set no variable twice: the second one would win without a word."""
    for container in pod.containers:
        names = [row["name"] for row in container.get("env", [])]
        yield from (f"{container['name']}: {name} is set twice" for name in set(names) if names.count(name) > 1)


def patient(pod: Pod) -> Iterator[str]:
    """Give a pod longer to stop than its process takes: what it has begun is then finished."""
    for container in pod.spec["containers"] if pod.lasts and not pod.is_knative else ():
        told = environment(container)
        needed = sum(float(told.get(name) or 0) for name in _STOP)
        if needed and pod.spec.get("terminationGracePeriodSeconds", 30) <= needed:
            yield f"{container['name']}: is killed before the {needed:.0f} s that it takes to stop"


def named_image(pod: Pod) -> Iterator[str]:
    """Name a version of every image."""
    for container in pod.containers:
        image = container["image"]
        if "@" not in image and (":" not in image.rpartition("/")[2] or image.endswith(":latest")):
            yield f"{container['name']}: image {image} says no version"


def digested(pod: Pod) -> Iterator[str]:
    """Name every image by its digest: what a tag means can change after it was looked at."""
    for container in pod.containers:
        if "@sha256:" not in container["image"]:
            yield f"{container['name']}: image {container['image']} has no digest"


def plain_ports(pod: Pod) -> Iterator[str]:
    """Name every port."""
    for container in pod.containers:
        yield from (
            f"port {port['containerPort']} has no name" for port in container.get("ports", []) if "name" not in port
        )


def spread(pod: Pod) -> Iterator[str]:
    """Spread what serves over nodes and zones, and count its own pods alone."""
    if pod.kind in ("Deployment", "StatefulSet"):
        constraints = pod.spec.get("topologySpreadConstraints", [])
        if not constraints:
            yield "its pods may all be on one node"
        for constraint in constraints:
            if constraint["labelSelector"] != pod.owner.at("spec", "selector"):
                yield f"counts others over {constraint['topologyKey']}"


def finite(pod: Pod) -> Iterator[str]:
    """Bound what runs to its end: tries, time, and how long it is kept."""
    if pod.kind in ("Job", "CronJob"):
        path = ("spec",) if pod.kind == "Job" else ("spec", "jobTemplate", "spec")
        job = pod.owner.at(*path)
        for name in ("backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
            if name not in job:
                yield f"has no {name}"


def of_pods(rule: PodRule) -> Callable[[Sequence[Object]], Iterator[str]]:
    """Return the rule about objects that a rule about pods is."""

    def about_objects(objects: Sequence[Object]) -> Iterator[str]:
        for pod in pods(objects):
            yield from (f"{pod.owner.identity}: {wrong}" for wrong in rule(pod))

    about_objects.__name__ = rule.__name__
    return about_objects


POD_RULES: Sequence[PodRule] = (
    restricted,
    probed,
    alive_is_not_ready,
    bounded,
    tokenless,
    mounted,
    files_there,
    told_once,
    patient,
    named_image,
    plain_ports,
    spread,
    finite,
)
