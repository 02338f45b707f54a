"""An operator who is woken finds a page, and no page is of an alert that never comes."""

import re
from pathlib import Path

import pytest

from tests.contract.observability.test_names import ALERTS
from tests.contract.products import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"
_ANNOTATIONS = {"summary", "description", "runbook"}
_LABEL = re.compile(r"\$labels\.(\w+)")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    assert {path.stem for path in RUNBOOKS.iterdir()} == {rule["alert"] for rule in ALERTS}
    assert {rule["annotations"]["runbook"] for rule in ALERTS} == {
        str(path.relative_to(ROOT)) for path in RUNBOOKS.iterdir()
    }


@pytest.mark.parametrize("page", sorted(RUNBOOKS.iterdir()), ids=lambda page: page.stem)
def test_a_runbook_says_what_it_means_where_to_look_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n**Means** ")
    assert re.findall(r"^\*\*(\w+)\*\*", text, re.M) == ["Means", "Look", "Do"]
    assert len(text.splitlines()) <= 25


def test_every_runbook_is_in_the_list() -> None:
    listed = set(re.findall(r"\(runbooks/(\w+)\.md\)", (ROOT / "docs" / "observability.md").read_text()))
    assert listed == {path.stem for path in RUNBOOKS.iterdir()}


def test_every_alert_says_how_bad_it_is_and_what_it_is_about() -> None:
    assert {rule["labels"]["severity"] for rule in ALERTS} == {"page", "ticket"}
    assert [rule["alert"] for rule in ALERTS if rule["annotations"].keys() != _ANNOTATIONS] == []


def test_an_alert_speaks_of_labels_that_it_has() -> None:
    for rule in ALERTS:
        spoken = {label for text in rule["annotations"].values() for label in _LABEL.findall(text)}
        assert spoken <= {label for label in spoken if label in rule["expr"]}, rule["alert"]
