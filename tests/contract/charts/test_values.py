"""Values: what is unknown, gone or contradictory is refused, by its name and with the remedy."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from helm_python import HelmError

from deploy.charts import CHARTS
from deploy.charts.environments import Values, values
from tests.contract.charts.releases import at, chart, over

PRODUCTION = values("production", "pellicule")
UPGRADING = (CHARTS / "pellicule" / "UPGRADING.md").read_text(encoding="utf-8")
REMOVED = ("replicaCount", "imagePullSecrets")


def _refusal(*layers: Values, release: str = "") -> str:
    with pytest.raises(HelmError) as refused:
        chart("pellicule").objects(over(PRODUCTION, *layers), release=release)
    return str(refused.value)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("imagee", {}),
        ("server.replica", 3),
        ("worker.keda.enabeld", True),
        ("services.ingst", {}),
        ("services.ingest.setings", {}),
        ("services.ingest.settings.PELLICULE_QUOTA_BYTE", 1),
        ("services.ingest.server.resources.request", {}),
        ("services.consent.worker", {}),
        ("nats.monitoring.endpont", "nats:8222"),
        ("networkPolicy.dns.too", []),
    ],
)
def test_a_typo_is_refused_by_its_name(path: str, value: object) -> None:
    assert path.rpartition(".")[2] in _refusal(at(path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services.ingest.mode", "kubernetes"),
        ("server.replicas", "two"),
        ("server.resources.requests.memory", "much"),
        ("image.digest", "sha256:abc"),
        ("certificates.duration", "30 days"),
        ("objectStore.endpoint", "s3.example.com"),
        ("tokens.jwksUrl", "http://id.example.com/keys"),
    ],
)
def test_a_value_that_means_nothing_is_refused_where_it_stands(path: str, value: object) -> None:
    assert path.replace(".", "/") in _refusal(at(path, value))


@pytest.mark.parametrize("path", REMOVED)
def test_a_removed_value_points_to_what_took_its_place(path: str) -> None:
    refusal = _refusal(at(path, [1]))

    assert path in refusal
    assert "charts/pellicule/UPGRADING.md" in refusal
    assert f"| `{path}` |" in UPGRADING


def test_every_removed_value_is_in_the_page_and_in_the_schema() -> None:
    properties = (chart("pellicule").handle.schema or {})["properties"]
    known = {name for name, each in properties.items() if each.get("description", "").startswith("Removed")}
    table = re.findall(r"^\| `(\w+)` \| \d", UPGRADING, re.M)

    assert known == set(REMOVED) == set(table)


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        ({"tokens": {"jwks": {"configMap": "issuer"}}}, "tokens.jwksUrl"),
        ({"tokens": {"jwksUrl": ""}}, "tokens.jwks.configMap"),
        ({"certificates": {"issuer": {"name": ""}}}, "services.analysis.certificate.existingSecret"),
        ({"nats": {"monitoring": {"endpoint": ""}}}, "nats.monitoring.endpoint"),
        ({"edge": {"hostnames": []}}, "edge.hostnames"),
        ({"epochs": {"store": "transit"}}, "epochs.transit.url"),
        (
            {"epochs": {"store": "transit", "transit": {"url": "https://bao.example.com"}}},
            "epochs.transit.token.secret",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused_with_the_remedy(layer: Values, named: str) -> None:
    assert named in _refusal(layer)


def test_a_release_whose_names_would_be_cut_is_refused() -> None:
    assert "longer than 30 characters" in _refusal(release="a" * 31)


def test_the_longest_release_has_names_that_fit() -> None:
    objects = chart("pellicule").objects(PRODUCTION, release="a" * 30)

    assert max(len(each.name) for each in objects) <= 63
    assert max(len(each.name) for each in objects if each.kind == "CronJob") <= 52


def _open(schema: Any, path: str) -> Iterator[str]:
    """Yield where a schema lets through what it does not name."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties", True) is True:
            yield path
        for key, value in schema.items():
            yield from _open(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from _open(value, f"{path}/{number}")


def test_the_schema_is_closed_everywhere() -> None:
    assert list(_open(chart("pellicule").handle.schema, "")) == []


def test_the_schema_knows_every_value_and_the_chart_uses_no_other() -> None:
    chart("pellicule").handle.validate_schema(chart("pellicule").handle.values)
