"""Where the keys of epochs are: what retention gets for it, and that no other gets any of it."""

import importlib

import pytest

from deploy.charts.environments import Values, values
from deploy.charts.rendering import Object
from tests.contract.charts.pods import Pod, pods
from tests.contract.charts.pods import environment as environment_of
from tests.contract.charts.releases import chart, over
from tests.contract.charts.rules import RULES
from tests.contract.charts.rules_of_objects import of_kind

URL = "https://bao.example.com:8200"
BY_ROLE: Values = {
    "epochs": {"store": "transit", "transit": {"url": URL, "role": "retention", "ca": {"secret": "bao-ca"}}}
}
BY_TOKEN: Values = {"epochs": {"store": "transit", "transit": {"url": URL, "token": {"secret": "bao-token"}}}}
IN_A_SECRET: Values = {}
EACH = {"a Secret": IN_A_SECRET, "transit by role": BY_ROLE, "transit by token": BY_TOKEN}
each = pytest.mark.parametrize("given", EACH.values(), ids=EACH)


def _objects(given: Values) -> list[Object]:
    return list(chart("pellicule").objects(over(values("production", "pellicule"), given)))


def _serving(objects: list[Object], service: str) -> list[Pod]:
    return [pod for pod in pods(objects) if pod.lasts and pod.labels["app.kubernetes.io/name"] == service]


@each
def test_every_object_is_let_in(given: Values) -> None:
    assert {rule: found for rule, about in RULES.items() if (found := list(about(_objects(given))))} == {}


@each
def test_retention_alone_gets_a_token(given: Values) -> None:
    with_token = {
        pod.labels["app.kubernetes.io/name"]
        for pod in pods(_objects(given))
        if "serviceAccountToken" in str(pod.volumes) or "bao-token" in str(pod.volumes)
    }

    assert with_token == {"retention"}


@each
def test_rights_in_the_cluster_are_given_for_a_secret_alone(given: Values) -> None:
    assert bool(of_kind(_objects(given), "Role", "RoleBinding")) == (given is IN_A_SECRET)


@each
def test_the_root_key_is_there_where_it_seals_anything(given: Values) -> None:
    for pod in _serving(_objects(given), "retention"):
        assert ("root.key" in str(pod.volumes)) == (given is IN_A_SECRET)


def test_a_token_for_the_engine_is_of_no_use_in_the_cluster() -> None:
    (retention, *_) = _serving(_objects(BY_ROLE), "retention")
    sources = retention.volumes["token"]["projected"]["sources"]

    assert [source["serviceAccountToken"]["audience"] for source in sources] == ["pellicule-transit"]


@each
def test_the_way_to_the_keys_is_open(given: Values) -> None:
    (policy,) = [each for each in _objects(given) if each.identity == "NetworkPolicy/pellicule-retention-egress"]
    ports = {port["port"] for rule in policy.at("spec", "egress") for port in rule["ports"]}

    assert {443, 6443} <= ports if given is IN_A_SECRET else 8200 in ports


@each
def test_the_environment_builds_retention_s_settings(given: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = importlib.import_module("services.retention.settings").Settings
    for pod in _serving(_objects(given), "retention"):
        told = {name: value or "secret" for name, value in environment_of(pod.containers[0]).items()}
        with monkeypatch.context() as patched:
            for name, value in told.items():
                patched.setenv(name, value)
            assert settings().epochs == told["PELLICULE_EPOCHS"]
        assert {
            name.removeprefix("PELLICULE_").lower() for name in told if "TRANSIT" in name
        } <= settings.model_fields.keys()
