"""Every alert is silent while all is well, and fires when it is not: rules on recorded series, truly evaluated."""

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.clients import RULES as TOOL
from tests.contract.observability.queries import read, strangers
from tests.contract.observability.test_names import ALERTS, rules

Case = Mapping[str, Any]
CASES: Sequence[Case] = yaml.safe_load((Path(__file__).parent / "series.yaml").read_text())


def test_every_alert_is_tried_in_each_of_its_severities() -> None:
    said = Counter((rule["alert"], rule["labels"]["severity"]) for rule in ALERTS)
    assert Counter((case["alert"], case["severity"]) for case in CASES) == said


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['alert']}-{case['severity']}")
def test_recorded_series_are_such_as_are_measured(case: Case) -> None:
    assert [name for series in case["series"] for name in strangers(series, frozenset())] == []


@pytest.mark.skipif(TOOL.cached() is None, reason="vmalert-tool, which evaluates rules: python -m deploy.clients")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['alert']}-{case['severity']}")
def test_an_alert_is_silent_while_all_is_well_and_fires_when_it_is_not(case: Case, tmp_path: Path) -> None:
    chosen = {"name": "tried", "rules": list(needed(case))}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [chosen]}))
    (tmp_path / "series.yaml").write_text(yaml.safe_dump(tried(case)))
    command = [str(TOOL.path), "unittest", "--disableAlertgroupLabel", "--files", "series.yaml"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=250)
    assert run.returncode == 0, run.stdout + run.stderr


def needed(case: Case) -> Iterator[Mapping[str, Any]]:
    """Yield the alert's rules, and those that record what they ask for."""
    alerts = [rule for rule in ALERTS if rule["alert"] == case["alert"]]
    asked = {name for rule in alerts for name in read(rule["expr"]).series}
    objectives = {rule["labels"].get("objective") for rule in alerts}
    for rule in rules():
        if rule.get("record") in asked and rule.get("labels", {}).get("objective") in objectives:
            yield rule
    yield from alerts


def tried(case: Case) -> Mapping[str, Any]:
    labels = {"alertname": case["alert"], "severity": case["severity"], **case.get("of", {})}
    checks = [expected(labels, case["silent"], 0), expected(labels, case["fires"], 1)]
    if case.get("alone"):
        checks.append(expected({"alertname": case["alert"]}, case["fires"], 1))
    series = [{"series": name, "values": str(values)} for name, values in case["series"].items()]
    test = {"interval": "1m", "input_series": series, "metricsql_expr_test": checks}
    return {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}


def expected(labels: Mapping[str, str], at: str, count: int) -> Mapping[str, Any]:
    chosen = ", ".join(f'{name}="{value}"' for name, value in {**labels, "alertstate": "firing"}.items())
    expression = f"count(ALERTS{{{chosen}}}) or vector(0)"
    return {"expr": expression, "eval_time": at, "exp_samples": [{"labels": "{}", "value": count}]}
