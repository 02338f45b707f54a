"""What a cluster lacks before the charts: each thing broken once, and named with what to do."""

from collections.abc import Callable

import pytest

from deploy.ops.checks.check import Verdict
from deploy.ops.checks.pieces import PIECES
from deploy.ops.checks.prerequisites import Needed, prerequisites
from tests.fakes.cluster import FakeCluster, condition
from tests.unit.ops.healthy import with_everything

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DEPLOYMENTS = "/apis/apps/v1/deployments"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"
DEFAULT = {"storageclass.kubernetes.io/is-default-class": "true"}
ALL = Needed(pieces=tuple(PIECES), gpu=True)


@pytest.fixture
def cluster() -> FakeCluster:
    """Give a cluster that has everything."""
    return with_everything()


def wrong(cluster: FakeCluster, needed: Needed = ALL) -> dict[str, Verdict]:
    return {check.name: check.verdict for check in prerequisites(cluster, needed) if check.wrong}


def test_nothing_is_wrong_with_a_cluster_that_has_everything(cluster: FakeCluster) -> None:
    assert wrong(cluster) == {}


def test_every_check_of_such_a_cluster_is_right(cluster: FakeCluster) -> None:
    verdicts = {check.verdict for check in prerequisites(cluster, ALL)}

    assert verdicts == {Verdict.RIGHT}


def no_certificates(cluster: FakeCluster) -> None:
    del cluster.objects[f"{CRDS}/certificates.cert-manager.io"]


def old_gateways(cluster: FakeCluster) -> None:
    cluster.define("gateways.gateway.networking.k8s.io", "v1beta1")


def no_operator(cluster: FakeCluster) -> None:
    cluster.lists[DEPLOYMENTS] = [
        each for each in cluster.lists[DEPLOYMENTS] if each["metadata"]["name"] != "keda-operator"
    ]


def waiting_operator(cluster: FakeCluster) -> None:
    for each in cluster.lists[DEPLOYMENTS]:
        if each["metadata"]["name"] == "cloudnative-pg":
            each["status"] = {"availableReplicas": 0}


def issuer_not_ready(cluster: FakeCluster) -> None:
    (issuer,) = cluster.lists["/apis/cert-manager.io/v1/clusterissuers"]
    issuer["status"] = condition("Ready", "False")


def no_gateway_class(cluster: FakeCluster) -> None:
    cluster.lists["/apis/gateway.networking.k8s.io/v1/gatewayclasses"] = []


def old_kubernetes(cluster: FakeCluster) -> None:
    cluster.objects["/version"] = {"major": "1", "minor": "28"}


def no_default_class(cluster: FakeCluster) -> None:
    cluster.lists[CLASSES][0]["metadata"]["annotations"] = {}


def early_binding(cluster: FakeCluster) -> None:
    cluster.lists[CLASSES][0]["volumeBindingMode"] = "Immediate"


def no_namespace(cluster: FakeCluster) -> None:
    del cluster.objects["/api/v1/namespaces/pellicule"]


def open_namespace(cluster: FakeCluster) -> None:
    cluster.objects["/api/v1/namespaces/pellicule"]["metadata"]["labels"] = {}


def unknown_network(cluster: FakeCluster) -> None:
    cluster.lists["/apis/apps/v1/daemonsets"] = [{"metadata": {"name": "kube-flannel-ds", "labels": {}}}]


def no_metrics(cluster: FakeCluster) -> None:
    del cluster.objects["/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"]


def lame_node(cluster: FakeCluster) -> None:
    cluster.add("/api/v1/nodes", "lame", status=condition("Ready", "Unknown"))


def no_gpu(cluster: FakeCluster) -> None:
    del cluster.lists["/api/v1/nodes"][0]["status"]["allocatable"]


def refused(cluster: FakeCluster) -> None:
    cluster.refused.add("/api/v1/nodes")


BROKEN: dict[Callable[[FakeCluster], None], tuple[str, Verdict]] = {
    no_certificates: ("cert-manager: certificates.cert-manager.io", Verdict.WRONG),
    old_gateways: ("edge: gateways.gateway.networking.k8s.io", Verdict.WRONG),
    no_operator: ("keda: Deployment app.kubernetes.io/name=keda-operator", Verdict.WRONG),
    waiting_operator: ("cloudnative-pg: Deployment app.kubernetes.io/name=cloudnative-pg", Verdict.WRONG),
    issuer_not_ready: ("cert-manager: clusterissuers", Verdict.WRONG),
    no_gateway_class: ("edge: gatewayclasses", Verdict.WRONG),
    old_kubernetes: ("kubernetes: version", Verdict.WRONG),
    no_default_class: ("storage: default class", Verdict.WRONG),
    early_binding: ("storage: binding", Verdict.WARNING),
    no_namespace: ("namespace pellicule", Verdict.WRONG),
    open_namespace: ("namespace pellicule: PodSecurity", Verdict.WARNING),
    unknown_network: ("network policies: enforcement", Verdict.UNKNOWN),
    no_metrics: ("metrics: metrics.k8s.io", Verdict.WARNING),
    lame_node: ("nodes: ready", Verdict.WARNING),
    no_gpu: ("nodes: nvidia.com/gpu", Verdict.WRONG),
    refused: ("nodes", Verdict.UNKNOWN),
}


@pytest.mark.parametrize("breaks", BROKEN, ids=lambda breaks: breaks.__name__)
def test_what_is_broken_is_named_alone_and_with_a_remedy(
    cluster: FakeCluster, breaks: Callable[[FakeCluster], None]
) -> None:
    breaks(cluster)
    found = [check for check in prerequisites(cluster, ALL) if check.wrong]

    assert [(check.name, check.verdict) for check in found] == [BROKEN[breaks]]
    assert found[0].remedy


def test_what_is_not_needed_is_not_missed() -> None:
    checked = {check.name.partition(":")[0] for check in prerequisites(FakeCluster(), Needed(pieces=["keda"]))}

    assert checked & PIECES.keys() == {"keda"}


def test_a_piece_of_which_nothing_is_there_is_said_once() -> None:
    said = [check for check in prerequisites(FakeCluster(), ALL) if check.name.partition(":")[0] in PIECES]

    assert [(check.name, check.wrong) for check in said] == [(name, "is not installed") for name in PIECES]
