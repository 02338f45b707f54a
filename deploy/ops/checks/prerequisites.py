"""Checks of what has to be in a cluster before the charts: kinds, controllers, classes, and what namespaces allow."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from deploy.ops.checks.check import Check, Verdict
from deploy.ops.checks.cluster import Cluster, Document
from deploy.ops.checks.look import Look, looked
from deploy.ops.checks.pieces import PIECES, Piece

OLDEST_MINOR = 29
"""Of Kubernetes 1: what the charts are written for."""
_ENFORCERS = ("calico", "cilium", "antrea", "kube-router", "ovnkube", "weave-net", "aws-node", "kindnet")
"""DaemonSets of networks that can enforce policies."""
_KINDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_ENFORCE = "pod-security.kubernetes.io/enforce"


@dataclass(frozen=True)
class Needed:
    """What a cluster shall have.

    Attributes:
        namespace: Where the charts go.
        pieces: Names of the pieces of the platform.
        gpu: Whether models are served on GPUs.
    """

    namespace: str = "pellicule"
    pieces: Sequence[str] = ()
    gpu: bool = False


def prerequisites(cluster: Cluster, needed: Needed) -> Iterator[Check]:
    """Yield all checks; one that this account may not make is unknown, and the others go on."""
    looks: list[tuple[str, Look]] = [
        ("kubernetes", lambda: _version(cluster)),
        *((name, lambda name=name: _piece(cluster, name)) for name in needed.pieces),
        ("storage", lambda: _storage(cluster)),
        ("namespace", lambda: _namespace(cluster, needed.namespace)),
        ("network policies", lambda: _network(cluster)),
        ("metrics", lambda: _metrics(cluster)),
        ("nodes", lambda: _nodes(cluster, gpu=needed.gpu)),
    ]
    yield from looked(looks)


def _version(cluster: Cluster) -> Iterator[Check]:
    version = cluster.one("/version") or {}
    minor = int("".join(filter(str.isdigit, str(version.get("minor", "0")))) or 0)
    wrong = f"is 1.{minor}" if minor < OLDEST_MINOR else ""
    yield Check.of("kubernetes: version", wrong, f"upgrade the cluster to 1.{OLDEST_MINOR} or later")


def _piece(cluster: Cluster, name: str) -> Iterator[Check]:
    piece = PIECES[name]
    install = f"install {name}, as docs/platform.md says"
    kinds = {kind: cluster.one(f"{_KINDS}/{kind}") for kind in piece.kinds}
    if not any(kinds.values()):
        yield Check.of(name, "is not installed", install)
        return
    for kind, version in piece.kinds.items():
        yield Check.of(f"{name}: {kind}", _crd_wrong(kinds[kind], version), install)
    for labels in piece.controllers:
        yield Check.of(f"{name}: Deployment {labels}", _controller_wrong(cluster, labels), install)
    yield from _ready_objects(cluster, name, piece)


def _crd_wrong(crd: Document | None, version: str) -> str:
    if crd is None:
        return "this kind is not there"
    served = [each["name"] for each in crd["spec"]["versions"] if each["served"]]
    return "" if version in served else f"is served as {', '.join(served)}, not as {version}"


def _controller_wrong(cluster: Cluster, labels: str) -> str:
    found = cluster.items("/apis/apps/v1/deployments", labels)
    if not found:
        return "no Deployment has this label"
    waiting = [each for each in found if not each.get("status", {}).get("availableReplicas")]
    return f"{waiting[0]['metadata']['name']} has no replica that is available" if waiting else ""


def _ready_objects(cluster: Cluster, name: str, piece: Piece) -> Iterator[Check]:
    """Look whether at least one object of a kind says that it is ready, such as an issuer."""
    for path, condition in piece.ready.items():
        kind = path.rpartition("/")[2]
        found = cluster.items(path)
        ready = [each for each in found if _has_condition(each, condition)]
        wrong = "" if ready else f"none is {condition}" if found else "there is none"
        yield Check.of(f"{name}: {kind}", wrong, f"apply deploy/platform/{name}, and read what its status says")


def _has_condition(document: Document, condition: str) -> bool:
    conditions = document.get("status", {}).get("conditions", [])
    return any(each["type"] == condition and each["status"] == "True" for each in conditions)


def _storage(cluster: Cluster) -> Iterator[Check]:
    classes = cluster.items("/apis/storage.k8s.io/v1/storageclasses")
    default = [each for each in classes if each["metadata"].get("annotations", {}).get(_DEFAULT_CLASS) == "true"]
    wrong = "" if len(default) == 1 else f"{len(default)} of {len(classes)} classes are the default"
    yield Check.of("storage: default class", wrong, f"annotate one StorageClass with {_DEFAULT_CLASS}=true")
    for each in default:
        early = each.get("volumeBindingMode") != "WaitForFirstConsumer"
        wrong = f"{each['metadata']['name']} binds volumes before pods are placed" if early else ""
        remedy = "choose a class with volumeBindingMode WaitForFirstConsumer where there are zones"
        yield Check.warned("storage: binding", wrong, remedy)


def _namespace(cluster: Cluster, name: str) -> Iterator[Check]:
    namespace = cluster.one(f"/api/v1/namespaces/{name}")
    if namespace is None:
        yield Check.of(f"namespace {name}", "is not there", "apply deploy/platform/namespaces.yaml")
        return
    level = namespace["metadata"].get("labels", {}).get(_ENFORCE, "privileged")
    wrong = "" if level == "restricted" else f"pods are admitted as {level}"
    yield Check.warned(f"namespace {name}: PodSecurity", wrong, f"label it {_ENFORCE}=restricted")


def _network(cluster: Cluster) -> Iterator[Check]:
    """Guess from the network's name: no API says whether policies are enforced."""
    names = [each["metadata"]["name"] for each in cluster.items("/apis/apps/v1/daemonsets")]
    known = [name for name in names if name.startswith(_ENFORCERS)]
    if known:
        yield Check("network policies: enforcement")
        return
    wrong = "no network that is known to enforce policies is there"
    remedy = "try whether a denied call is refused: tests/cluster has the matrix; else choose another network"
    yield Check("network policies: enforcement", Verdict.UNKNOWN, wrong, remedy)


def _metrics(cluster: Cluster) -> Iterator[Check]:
    service = cluster.one("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io")
    wrong = "" if service is not None and _has_condition(service, "Available") else "is not available"
    remedy = "install metrics-server; without it no server is scaled by its processor time"
    yield Check.warned("metrics: metrics.k8s.io", wrong, remedy)


def _nodes(cluster: Cluster, *, gpu: bool) -> Iterator[Check]:
    nodes = cluster.items("/api/v1/nodes")
    lame = [each["metadata"]["name"] for each in nodes if not _has_condition(each, "Ready")]
    yield Check.warned("nodes: ready", f"{', '.join(lame)} are not" if lame else "", "look at `kubectl describe node`")
    if gpu:
        has = any(int(each["status"].get("allocatable", {}).get("nvidia.com/gpu", "0")) for each in nodes)
        remedy = "add a node with a GPU and NVIDIA's device plugin, or serve the models on CPUs"
        yield Check.of("nodes: nvidia.com/gpu", "" if has else "no node offers a GPU", remedy)
