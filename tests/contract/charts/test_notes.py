"""What Helm says after an installation: how to verify it, and addresses that are there."""

import re

import pytest

from deploy.charts.environments import environments, values
from deploy.charts.rendering import NAMESPACE
from tests.contract.charts.releases import SMOKE, chart, over, rendered


def _notes(environment: str, *layers: dict[str, object]) -> str:
    text = chart("pellicule").text(over(values(environment, "pellicule"), *layers))
    return text["pellicule/templates/NOTES.txt"]


@pytest.mark.parametrize("environment", environments())
def test_the_addresses_that_it_names_are_there(environment: str) -> None:
    services = {each.name for each in rendered("pellicule", environment) if each.kind == "Service"}
    hosts = {host for each in rendered("pellicule", environment) for host in each.at("spec", "hostnames", default=[])}
    notes = _notes(environment)
    named = set(re.findall(rf"(\S+)\.{NAMESPACE}\.svc|get ksvc (\S+)", notes))

    assert {name for pair in named for name in pair if name} <= services
    assert set(re.findall(r"https://(\S+)", notes)) == hosts
    assert named or hosts


def test_it_says_how_to_verify() -> None:
    assert "helm test pellicule --namespace photos" in _notes("production", SMOKE)


def test_it_says_what_a_verification_needs() -> None:
    assert "set smoke.token or smoke.issuerKey" in _notes("production")
