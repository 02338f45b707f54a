"""Environments lead to what the platform makes: the same names, namespaces and ports on both sides."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.charts.environments import values
from tests.contract.charts.releases import merged_values, rendered
from tests.contract.charts.rules_of_objects import of_kind
from tests.contract.platform.manifests import PLATFORM, documents, manifests

ON_THE_PLATFORM = ["production", "production-gpu", "knative"]
MADE = {(each.kind, each.at("metadata", "namespace", default=""), each.name) for each in manifests()}
NAMESPACE = "kubernetes.io/metadata.name"
OF_CONTROLLERS = {"kube-system", "keda", "observability", "envoy-gateway-system", "knative-serving", "kourier-system"}

each_environment = pytest.mark.parametrize("environment", ON_THE_PLATFORM)


def _found(value: Any, key: str) -> Iterator[str]:
    """Yield what stands under a key, however deep."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == key:
                yield str(each)
            yield from _found(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _found(each, key)


@each_environment
def test_policies_lead_to_namespaces_that_there_are(environment: str) -> None:
    named = {
        name
        for each in of_kind(rendered("pellicule", environment), "NetworkPolicy")
        for name in _found(each.document, NAMESPACE)
    }

    assert {("Namespace", "", name) for name in named - OF_CONTROLLERS} <= MADE


@each_environment
def test_certificates_come_from_an_issuer_that_there_is(environment: str) -> None:
    for chart in ("pellicule", "inference"):
        for each in of_kind(rendered(chart, environment), "Certificate"):
            issuer = each.at("spec", "issuerRef")
            namespace = "pellicule" if issuer["kind"] == "Issuer" else ""
            assert (issuer["kind"], namespace, issuer["name"]) in MADE


@each_environment
def test_the_stores_authority_is_in_the_services_namespace(environment: str) -> None:
    given = merged_values("pellicule", environment)

    for server in ("database", "nats"):
        assert ("Certificate", "pellicule", given[server]["ca"]["secret"]) in MADE


@each_environment
def test_keda_asks_the_bus_where_it_is(environment: str) -> None:
    nats = next(documents(PLATFORM / "nats" / "objects.yaml"))
    endpoint = merged_values("pellicule", environment)["nats"]["monitoring"]["endpoint"]

    assert endpoint == f"nats-headless.{nats['metadata']['namespace']}.svc.cluster.local:8222"


def test_the_gateway_is_the_one_that_routes_name() -> None:
    edge = values("production", "pellicule")["edge"]
    (parent,) = edge["parentRefs"]
    (gateway,) = [each for each in manifests() if each.kind == "Gateway"]
    listener = next(each for each in gateway.at("spec", "listeners") if each["name"] == parent["sectionName"])

    assert (gateway.at("metadata", "namespace"), gateway.name) == (parent["namespace"], parent["name"])
    assert edge["hostnames"] == [listener["hostname"]]


def test_limits_are_those_of_the_routes_that_the_chart_makes() -> None:
    routes = {each.name for each in of_kind(rendered("pellicule", "production"), "GRPCRoute")}
    limited = {
        target["name"]
        for each in manifests()
        if each.kind == "BackendTrafficPolicy"
        for target in each.at("spec", "targetRefs")
        if target["kind"] == "GRPCRoute"
    }

    assert limited == routes


def test_json_leads_to_every_public_rpc_service() -> None:
    routes = of_kind(rendered("pellicule", "production"), "GRPCRoute")
    led = {
        str(match["method"]["service"])
        for route in routes
        for rule in route.at("spec", "rules")
        for match in rule["matches"]
    }
    envoy = (PLATFORM / "edge" / "envoy.yaml").read_text(encoding="utf-8")

    assert [name for name in led if f"- {name}\n" not in envoy] == []
    assert "pellicule.internal" not in envoy
