"""Golden renders and READMEs: what is committed is what the charts give."""

from pathlib import Path

import pytest

from deploy.charts import CHARTS, ROOT, charts
from deploy.charts.golden import GOLDEN, golden_files
from deploy.charts.readme import described, readmes

FILES = dict(golden_files())


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(GOLDEN)))
def test_an_environment_renders_to_what_is_committed(file: Path) -> None:
    there = file.read_text(encoding="utf-8") if file.exists() else ""

    assert there == FILES[file], (
        f"{file.relative_to(ROOT)}: look at the difference; deploy/generate-charts writes it anew"
    )


def test_nothing_else_is_committed_there() -> None:
    assert set(GOLDEN.rglob("*.yaml")) == set(FILES)


@pytest.mark.parametrize("name", charts())
def test_the_readme_has_the_values_as_they_are(name: str) -> None:
    (found,) = [(there, wanted) for each, there, wanted in readmes() if each == name]

    assert found[0] == found[1], "run deploy/generate-charts"
    assert found[1].count("| `") > len(charts())


@pytest.mark.parametrize("name", charts())
def test_every_value_says_what_it_is(name: str) -> None:
    found = described((CHARTS / name / "values.yaml").read_text(encoding="utf-8"))

    assert [value.path for value in found if not value.description] == []
