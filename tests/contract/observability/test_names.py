"""Nothing asks for what is not measured."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.observability import dashboards, objectives, schema
from services.chassis.metrics import Metric, MetricKind
from tests.contract.observability.queries import Query, read, strangers
from tests.contract.products import ROOT

RULES = sorted((ROOT / "deploy" / "observability" / "rules").glob("*.yaml"))
DASHBOARDS = sorted((ROOT / "deploy" / "observability" / "dashboards").glob("*.json"))
_SERIES = re.compile(r"\b(?:pellicule|nv)_[a-z0-9_]+")


def rules() -> Iterator[dict[str, Any]]:
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


RECORDED = frozenset(rule["record"] for rule in rules() if "record" in rule)
ALERTS = [rule for rule in rules() if "alert" in rule]


def queries_of(file: Path) -> list[str]:
    return [target["expr"] for panel in json.loads(file.read_text())["panels"] for target in panel.get("targets", ())]


def test_rules_ask_for_what_is_declared() -> None:
    found = {rule["expr"]: list(strangers(rule["expr"], RECORDED)) for rule in rules()}
    assert {expression: names for expression, names in found.items() if names} == {}


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_dashboards_ask_for_what_is_declared(file: Path) -> None:
    found = {expression: list(strangers(expression, RECORDED)) for expression in queries_of(file)}
    assert {expression: names for expression, names in found.items() if names} == {}


def test_charts_and_platform_ask_for_what_is_declared() -> None:
    files = [path for folder in ("charts", "deploy/platform") for path in (ROOT / folder).rglob("*") if path.is_file()]
    asked = {name for path in files for name in _SERIES.findall(path.read_text(errors="ignore"))}
    known = {name for metric in schema.metrics().values() for name in schema.series(metric)} | schema.TRITON
    assert asked - known == set()


def test_what_is_recorded_is_asked_for() -> None:
    asked = [query for file in DASHBOARDS for query in queries_of(file)] + [rule["expr"] for rule in ALERTS]
    named = {name for query in asked for name in read(query).series}
    assert {name for name in RECORDED - named if not name.startswith("pellicule:bad:")} == set()


def test_every_metric_is_looked_at_somewhere() -> None:
    """A metric that no dashboard shows and no rule asks for costs, and tells nothing."""
    asked = [query for file in DASHBOARDS for query in queries_of(file)] + [rule["expr"] for rule in rules()]
    named = {name for query in asked for name in read(query).series}
    unseen = {name for name, metric in schema.metrics().items() if not named & set(schema.series(metric))}
    assert unseen == set()


def test_what_is_written_is_what_the_code_says() -> None:
    folder = ROOT / "deploy" / "observability" / "dashboards"
    assert {path.name: path.read_text() for path in folder.iterdir()} == dict(dashboards.files())
    assert objectives.RULES.read_text() == objectives.rule_file()
    document = objectives.DOCUMENT.read_text()
    assert objectives.with_table(document) == document


@pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.stem)
def test_a_dashboard_leaves_the_data_source_to_the_reader(file: Path) -> None:
    model = json.loads(file.read_text())
    uids = {json.dumps(found) for found in _sources(model)}
    assert uids == {json.dumps({"type": "prometheus", "uid": "${datasource}"})}
    assert [each["name"] for each in model["templating"]["list"]] == ["datasource"]
    assert model["uid"] == file.stem
    ids = [panel["id"] for panel in model["panels"]]
    assert len(set(ids)) == len(ids)


def _sources(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if "datasource" in value:
            yield value["datasource"]
        for inner in value.values():
            yield from _sources(inner)
    if isinstance(value, list):
        for inner in value:
            yield from _sources(inner)


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (Metric("pellicule.outbox.age", MetricKind.GAUGE, "s", ""), "pellicule_outbox_age_seconds"),
        (Metric("pellicule.consumer.pending", MetricKind.GAUGE, "{event}", ""), "pellicule_consumer_pending"),
        (Metric("pellicule.consumer.events", MetricKind.COUNTER, "{event}", ""), "pellicule_consumer_events_total"),
        (Metric("process.cpu.time", MetricKind.COUNTER, "s", ""), "process_cpu_time_seconds_total"),
        (Metric("pellicule.disk.free", MetricKind.GAUGE, "By", ""), "pellicule_disk_free_bytes"),
        (Metric("pellicule.share", MetricKind.GAUGE, "1", ""), "pellicule_share_ratio"),
        (Metric("rpc.server.call.duration", MetricKind.HISTOGRAM, "s", ""), "rpc_server_call_duration_seconds"),
    ],
)
def test_a_name_is_translated_as_prometheus_does(metric: Metric, name: str) -> None:
    assert schema.prometheus_name(metric) == name


def test_a_query_is_read() -> None:
    found = read('sum by (job, le) (rate(a_bucket{le=~"x{y", job!="z"}[5m])) > 1e3 and ignoring(job) b:c == 2')
    assert found == Query(
        series=frozenset({"a_bucket", "b:c"}),
        grouped=frozenset({"job", "le"}),
        matched=frozenset({("a_bucket", "le"), ("a_bucket", "job")}),
    )
