"""Drills in documents: each test that is named is there, and each drill has a test or says that it has none."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
PAGES = ("disaster.md", "upgrading.md")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def lost(text: str) -> list[str]:
    """Return the tests that a text names and that are not there."""
    return [f"{file}::{name}" for file, name in NAMED.findall(text) if not _is_there(ROOT / file, name)]


def _is_there(file: Path, name: str) -> bool:
    return file.is_file() and bool(re.search(rf"^ *(async )?def {name}\(", file.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("name", PAGES)
def test_the_tests_that_are_named_are_there(name: str) -> None:
    assert NAMED.findall(page(name))
    assert lost(page(name)) == []


def test_a_test_that_is_gone_is_found() -> None:
    gone = "`tests/contract/docs/test_drills.py::test_of_yesterday`"

    assert lost(gone) == [gone.strip("`")]


def test_each_drill_names_a_test_or_says_none() -> None:
    rows = re.findall(r"^\| (?!Drill|Key|-)(.+?) \|.*\|$", page("disaster.md"), re.MULTILINE)
    told = re.findall(r"^\| (.+?) \|.*(?:`tests/|none).*\|$", page("disaster.md"), re.MULTILINE)

    assert [row for row in rows if row not in told] == ["an issuer's keys"]
