"""What we let into a cluster, asked of every object of every environment."""

import pytest

from deploy.charts.environments import values
from tests.contract.charts.releases import CASES, SMOKE, chart, each_case, over, rendered
from tests.contract.charts.rules import IN_PRODUCTION, PRODUCTION, RULES


@each_case
@pytest.mark.parametrize("rule", RULES)
def test_every_object_is_let_in(name: str, environment: str, rule: str) -> None:
    assert list(RULES[rule](rendered(name, environment))) == []


@pytest.mark.parametrize(("name", "environment"), [case for case in CASES if case[1] in PRODUCTION])
@pytest.mark.parametrize("rule", IN_PRODUCTION)
def test_every_object_is_let_into_production(name: str, environment: str, rule: str) -> None:
    assert list(IN_PRODUCTION[rule](rendered(name, environment))) == []


@pytest.mark.parametrize("environment", ["development", "knative"])
@pytest.mark.parametrize("rule", RULES)
def test_what_helm_test_starts_is_let_in(environment: str, rule: str) -> None:
    objects = chart("pellicule").objects(over(values(environment, "pellicule"), SMOKE))

    assert list(RULES[rule](objects)) == []


@each_case
def test_keda_is_told_a_name_that_it_finds_from_its_own_namespace(name: str, environment: str) -> None:
    triggers = [
        trigger["metadata"]
        for each in rendered(name, environment)
        if each.kind == "ScaledObject"
        for trigger in each.at("spec", "triggers")
    ]
    hosts = [told.get("natsServerMonitoringEndpoint", "of.another.kind").partition(":")[0] for told in triggers]
    assert [host for host in hosts if "." not in host] == []
