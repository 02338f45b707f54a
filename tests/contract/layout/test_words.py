"""The words of the house are the field's: names that once were private to this project stay away."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.products import ROOT

_FOLDERS = ("services", "inference", "deploy", "tests")
_SOURCES = sorted(path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.py"))
_PROSE = sorted(
    path
    for pattern in ("*.md", "services/**/*.md", "inference/*.md", "deploy/**/*.md", "docs/**/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"
)

_OLD_MODULES = {
    "ingest": (
        "capture", "worth", "selection", "starting", "receiving", "reception", "completing", "reading", "lookup",
        "purging", "intake", "media_store", "purge_store",
    ),
    "analysis": (
        "analysing", "storing", "vanishing", "searching", "settling", "work_store", "library_store", "purge_store",
        "understanding", "seeing", "writing", "wording", "pictures", "triton_model", "matching", "records",
        "duplicates", "tools",
    ),
    "suggestion": ("selection", "planning", "refreshing", "acting", "collection", "purging", "collage"),
    "consent": ("noticing", "settlement"),
    "retention": ("clocks",),
    "inference": ("questions", "lanes", "verdicts", "subject", "trying", "computers", "telephones"),
    "tests": ("world", "room", "house", "ground", "running", "living"),
}  # fmt: skip
_OLD_NAMES = {
    "Intake", "Aftermath", "Hold", "Tools", "Workshop", "Eyes", "Look", "Shown", "Seen", "Wish", "Allowed", "Again",
    "Kept", "Asked", "Answer", "Question", "Wanted", "bury_keys", "bury", "doom", "settle", "order_purposes_away",
    "event_buried",
}  # fmt: skip
# `nobody` in backticks is the account of that name.
_OLD_PROSE = re.compile(
    r"(?<!`)\b(nobody|whoever|for ever|settling|vanishing|wording|intake|aftermath)\b", re.IGNORECASE
)

# Searched, not parsed: a string that looks like code does no harm, and the whole tree is read in no time.
_DEFINED = re.compile(r"^ *(?:class|(?:async )?def) (\w+)", re.MULTILINE)
_QUOTED = re.compile(r'"""(.*?)"""', re.DOTALL)


@pytest.mark.parametrize("area", sorted(_OLD_MODULES))
def test_no_module_has_a_name_of_before(area: str) -> None:
    folder = ROOT / area if (ROOT / area).is_dir() else ROOT / "services" / area
    old = set(_OLD_MODULES[area])

    assert [str(path.relative_to(ROOT)) for path in folder.rglob("*.py") if path.stem in old] == []


def test_nothing_is_called_by_a_word_of_before() -> None:
    found = [(str(path.relative_to(ROOT)), name) for path in _SOURCES for name in _defined(path) if name in _OLD_NAMES]

    assert found == []


def test_prose_says_it_plainly() -> None:
    pages = {path: path.read_text(encoding="utf-8") for path in _PROSE}
    spoken = {path: " ".join(_said(path)) for path in _SOURCES if path != Path(__file__)}
    found = {
        str(path.relative_to(ROOT)): sorted({word.lower() for word in _OLD_PROSE.findall(text)})
        for path, text in (pages | spoken).items()
    }

    assert {path: words for path, words in found.items() if words} == {}


def _defined(path: Path) -> Iterator[str]:
    return (found[1] for found in _DEFINED.finditer(path.read_text(encoding="utf-8")))


def _said(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    yield from (line.partition("# ")[2] for line in text.splitlines() if "# " in line)
    yield from _QUOTED.findall(text)
