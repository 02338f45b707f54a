"""Every scenario can be drawn, and written down."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from inference.load.arrivals import step
from inference.load.harness import Outcome, Run, Sample
from inference.load.reports import Finding, Phase, Report
from inference.load.results import write_result
from inference.load.scenarios import read_scenarios
from tests.load.inference.picture import draw


def _run(rate: float, *, refuses: bool = False) -> Run:
    due = list(step(rate, 10 if refuses else 1.01, before=8, during=5, after=12, seed=1))
    samples = []
    for number, moment in enumerate(due):
        crowded = refuses and 8 <= moment < 13 and number % 4
        outcome = Outcome.REFUSED if crowded else Outcome.ANSWERED
        samples.append(Sample(moment, moment, moment + (0.25 if crowded else 0.02 + 0.0001 * (number % 97)), outcome))
    return Run(tuple(samples), 25)


def _reports() -> list[Report]:
    finding = Finding("recovered after", 0.5, "s", 5)
    memory = tuple((float(second), 500 + second / 100) for second in range(25))
    return [
        Report("burst", "scene_classifier", (Phase("burst", _run(40, refuses=True)),), (finding,)),
        Report("poisson", "x", tuple(Phase(f"{share} %", _run(share)) for share in (50, 70, 90)), (finding,)),
        Report("soak", "all", (Phase("a", _run(9), memory), Phase("b", _run(5), memory)), (finding,)),
        Report("chaos", "nothing came", (Phase("chaos", Run((), 1)),), (Finding("recovered after", None, "s", 5),)),
    ]


@pytest.mark.parametrize("report", _reports(), ids=lambda report: report.scenario)
def test_a_report_becomes_a_picture_and_a_document(report: Report, tmp_path: Path) -> None:
    draw(report, tmp_path / "picture.png")
    write_result(
        report,
        tmp_path / "result.json",
        scenarios=read_scenarios(),
        target="cpu",
        server={"name": "triton"},
        when=datetime(2026, 3, 1, tzinfo=UTC),
    )

    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.size == (1100, 770)
    document = json.loads((tmp_path / "result.json").read_text("utf-8"))
    assert document["holds"] is (report.findings[0].value is not None)
    assert [phase["name"] for phase in document["phases"]] == [phase.name for phase in report.phases]
    assert document["plan"]["burst"]["factor"] == 10
    assert document["machine"]["cores"] >= 1
