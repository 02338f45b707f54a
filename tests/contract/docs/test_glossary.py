"""The glossary: each term once, in order, and no class that is not there."""

import re
from collections import Counter

from tests.contract.products import ROOT

TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^- \*\*(.+?)\*\*(?: \((\w+)\))?", TEXT, re.MULTILINE)


def test_each_term_stands_once() -> None:
    assert [term for term, count in Counter(TERMS).items() if count > 1] == []


def test_terms_stand_in_order() -> None:
    letters = [re.sub(r"[^a-z ]", "", term.lower()) for term, _ in TERMS]

    assert letters == sorted(letters)


def test_classes_that_are_named_are_there() -> None:
    files = [file for folder in ("services", "inference") for file in (ROOT / folder).rglob("*.py")]
    classes = set(re.findall(r"^class (\w+)", "\n".join(file.read_text(encoding="utf-8") for file in files), re.M))

    assert [name for name in re.findall(r"\(`(\w+)`\)", TEXT) if not name.isupper() and name not in classes] == []
