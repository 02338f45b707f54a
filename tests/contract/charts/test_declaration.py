"""What the chart says of the services, held to what is declared for them and to their contracts."""

from collections.abc import Sequence

import pytest

from deploy.charts.environments import environments, values
from deploy.charts.rendering import Object
from deploy.declarations import DECLARATIONS
from tests.contract.charts.pods import environment as environment_of
from tests.contract.charts.pods import pods, selects
from tests.contract.charts.releases import each_environment, rendered
from tests.contract.charts.rules_of_objects import of_kind
from tests.contract.products import proto_package, rpc_services

DECLARED = {(caller, callee) for caller, entry in DECLARATIONS.items() for callee in entry.calls}
INTERNAL = 9443


def _labels(service: str, component: str = "server") -> dict[str, str]:
    return {
        "app.kubernetes.io/part-of": "pellicule",
        "app.kubernetes.io/instance": "pellicule",
        "app.kubernetes.io/name": service,
        "app.kubernetes.io/component": component,
    }


def _peers(objects: Sequence[Object], service: str, way: str, peer: str) -> set[str]:
    """Return the services that policies let in (or out) at the internal port of (or from) a service's pods."""
    policies = [
        each for each in of_kind(objects, "NetworkPolicy") if selects(each.at("spec", "podSelector"), _labels(service))
    ]
    rules = [rule for policy in policies for rule in policy.at("spec", way, default=[])]
    let = [each for rule in rules if INTERNAL in _ports(rule) for each in rule.get(peer, [{}])]
    return {
        other for other in DECLARATIONS if any(selects(each.get("podSelector", {}), _labels(other)) for each in let)
    }


def _ports(rule: dict[str, list[dict[str, object]]]) -> set[object]:
    return {port["port"] for port in rule["ports"]}


@each_environment
def test_who_calls_whom_is_let_in_and_out_and_no_other(environment: str) -> None:
    objects = rendered("pellicule", environment)

    assert {
        (caller, callee) for callee in DECLARATIONS for caller in _peers(objects, callee, "ingress", "from")
    } == DECLARED
    assert {
        (caller, callee) for caller in DECLARATIONS for callee in _peers(objects, caller, "egress", "to")
    } == DECLARED


@each_environment
def test_each_pair_has_a_policy_of_its_own(environment: str) -> None:
    names = {
        each.name for each in of_kind(rendered("pellicule", environment), "NetworkPolicy") if "-calls-" in each.name
    }

    assert names == {f"pellicule-{caller}-calls-{callee}" for caller, callee in DECLARED}


@each_environment
def test_each_service_is_told_whom_it_calls_and_gets_what_it_is_declared(environment: str) -> None:
    for pod in pods(rendered("pellicule", environment)):
        entry = DECLARATIONS.get(pod.labels["app.kubernetes.io/name"])
        if entry is not None:
            told = environment_of(pod.containers[0]).keys()
            targets = {
                name.removeprefix("PELLICULE_").removesuffix("_TARGET").lower() for name in told if "_TARGET" in name
            }
            assert targets == set(entry.calls)
            assert ("PELLICULE_S3_ACCESS_KEY" in told) == entry.stores_objects
            assert ("PELLICULE_TRITON_ADDRESS" in told) == entry.infers


def test_who_owns_buckets_has_their_rules_looked_at() -> None:
    nightly = of_kind(rendered("pellicule", "production"), "CronJob")

    assert {each.name for each in nightly} == {
        f"pellicule-{name}-prepare" for name, entry in DECLARATIONS.items() if entry.owns
    }


def test_the_edge_leads_to_every_public_rpc_service_and_to_nothing_internal() -> None:
    routes = of_kind(rendered("pellicule", "production"), "GRPCRoute")
    led = {
        match["method"]["service"]
        for route in routes
        for rule in route.at("spec", "rules")
        for match in rule["matches"]
    }

    assert led == {each.full_name for service in DECLARATIONS for each in rpc_services(proto_package(service))}


def test_workers_are_scaled_on_the_stream_of_their_service() -> None:
    triggers = {
        each.name: each.at("spec", "triggers")[0]["metadata"]
        for each in of_kind(rendered("pellicule", "production"), "ScaledObject")
    }

    assert {name: (each["stream"], each["consumer"]) for name, each in triggers.items()} == {
        "pellicule-analysis-worker": ("ANALYSIS_WORK", "analysis-worker"),
        "pellicule-suggestion-worker": ("SUGGESTION_WORK", "suggestion-worker"),
    }


ROLES = {"prepare", "public", "internal", "upkeep", "worker"}
WORKING = {"analysis", "suggestion"}


@each_environment
@pytest.mark.parametrize("service", DECLARATIONS)
def test_every_role_of_a_service_is_somebodys(environment: str, service: str) -> None:
    made = [pod for pod in pods(rendered("pellicule", environment)) if pod.labels["app.kubernetes.io/name"] == service]
    roles = {role for pod in made for role in (environment_of(pod.containers[0])["PELLICULE_ROLES"] or "").split(",")}

    assert roles == ROLES - (set() if service in WORKING else {"worker"})


@each_environment
def test_who_has_a_listener_has_its_port_and_is_reached_by_a_service(environment: str) -> None:
    objects = rendered("pellicule", environment)
    selectors = [
        each.at("spec", "selector") for each in of_kind(objects, "Service") if each.document["apiVersion"] == "v1"
    ]
    for pod in pods(objects):
        roles = set((environment_of(pod.containers[0])["PELLICULE_ROLES"] or "").split(","))
        if pod.lasts and not pod.is_knative:
            assert {name for name in pod.ports if name != "health"} == {
                {"public": "grpc"}.get(role, role) for role in roles & {"public", "internal"}
            }
        if roles & {"internal"}:
            assert any(selects({"matchLabels": selector}, pod.labels) for selector in selectors)


def test_every_environment_is_rendered() -> None:
    assert set(environments()) == {"minimal", "development", "production", "production-gpu", "knative"}
    assert all(values(environment, "pellicule") for environment in environments())
