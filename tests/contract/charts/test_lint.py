"""Charts, as Helm itself judges them."""

from pathlib import Path

import helm_python

from deploy.charts import CHARTS
from deploy.charts.environments import values
from tests.contract.charts.releases import each_case

ERROR, WARNING = 3, 2


@each_case
def test_helm_finds_nothing_wrong(name: str, environment: str) -> None:
    report = helm_python.lint(CHARTS / name, values(environment, name), strict=True, kube_version="v1.29.0")

    assert [message for message in report["messages"] if message["severity"] >= WARNING] == []
    assert report["errors"] in ([], None)


def test_helm_finds_what_is_wrong(tmp_path: Path) -> None:
    chart = helm_python.Chart.create("broken", tmp_path)
    (tmp_path / chart.name / "templates" / "service.yaml").write_text("kind: {{ .Values.none", encoding="utf-8")

    assert [each for each in helm_python.lint(tmp_path / "broken")["messages"] if each["severity"] == ERROR] != []
