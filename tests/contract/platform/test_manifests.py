"""What is applied to a cluster beside the charts: known to Kubernetes, restricted, and without a host of others."""

import re
from pathlib import Path

import pytest
import yaml

from deploy.charts.rendering import Object
from tests.contract.charts.shapes import CRDS, NEWEST, OLDEST, validate, validate_custom
from tests.contract.platform.manifests import PLATFORM, manifests, pods, values_files

MANIFESTS = list(manifests())
HOST = re.compile(r"\b[\w.-]+\.(?:io|com|dev|net)\b(?!/v\d)")
NAMES_OF_KINDS = re.compile(
    r"(?:[\w.-]*\.)?(?:k8s|kubernetes|cert-manager|cnpg|cloudnative-pg|keda|knative|kserve|envoyproxy|googleapis)"
    r"\.(?:io|dev|com)"
)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field(version: str) -> None:
    for each in MANIFESTS:
        if not each.is_custom:
            validate(each, version)


def test_custom_resources_have_the_shape_of_their_definitions() -> None:
    unchecked = sorted({each.kind for each in MANIFESTS if each.is_custom and not validate_custom(each)})
    if unchecked:
        why = "PELLICULE_CRDS names no folder" if not CRDS else "PELLICULE_CRDS has no definition"
        pytest.skip(f"{why} of custom resources: {', '.join(unchecked)} not checked")


@pytest.mark.parametrize("file", values_files(), ids=lambda file: str(file.parent.name))
def test_values_are_one_document(file: Path) -> None:
    (values,) = yaml.safe_load_all(file.read_text(encoding="utf-8"))

    assert isinstance(values, dict)


def test_pods_are_restricted() -> None:
    for name, pod in pods():
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["runAsNonRoot"] is context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
            assert {"memory"} <= container["resources"]["limits"].keys(), name


def test_there_are_pods() -> None:
    assert len(list(pods())) >= 3


EVERYWHERE = {"Namespace", "ClusterIssuer", "GatewayClass"}


@pytest.mark.parametrize("each", MANIFESTS, ids=lambda each: each.identity)
def test_an_object_says_where_it_goes(each: Object) -> None:
    assert ("namespace" in each.at("metadata")) == (each.kind not in EVERYWHERE)


def test_there_is_no_secret() -> None:
    assert [each.identity for each in MANIFESTS if each.kind == "Secret"] == []


FILES = sorted(file for file in PLATFORM.rglob("*") if file.is_file())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_host_of_others_is_named(file: Path) -> None:
    text = NAMES_OF_KINDS.sub("", file.read_text(encoding="utf-8"))

    assert [host for host in HOST.findall(text) if "example" not in host] == []
