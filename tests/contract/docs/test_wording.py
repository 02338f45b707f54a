"""What no file of the project says: where packages come from is the machine's own affair, and so is who wrote it."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REGISTRIES = (
    r"pypi\.org|pythonhosted\.|npmjs\.|registry\.[a-z]+\.|proxy\.golang\.|crates\.io|--index-url|--extra-index-url"
)
WORKPLACES = r"(?<![\w.])/work/|/tmp/brief|/home/[a-z]|(?<![\w.$])/root/|\bcoordinator\b|\bworkplace\b"
# `helper` is what the package onnx calls a module of its own.
CHATTER = r"\bthe brief\b|\b(?:this|my|last|next) session\b|\bhelper (?:session|agent)|\bmy task\b|\bTODO\b|\bFIXME\b"
SAID_NOWHERE = re.compile(f"{REGISTRIES}|{WORKPLACES}|{CHATTER}", re.IGNORECASE)
SELF = Path(__file__).resolve()


def tracked_texts() -> list[tuple[str, str]]:
    """Returns the name and text of every file that is committed, pictures and other bytes left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [
        (str(path.relative_to(ROOT)), path.read_bytes().decode("utf-8", errors="replace"))
        for path in paths
        if path.is_file() and path.resolve() != SELF and b"\0" not in path.read_bytes()[:8192]
    ]


def test_no_file_names_a_registry_or_a_workplace() -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for name, text in tracked_texts()
        for match in SAID_NOWHERE.finditer(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["https://pypi.org/simple", "see /work/main/x", "registry.example.com/x", "A TODO", "in this session we"]
)
def test_such_words_are_found(text: str) -> None:
    assert SAID_NOWHERE.search(text)


@pytest.mark.parametrize("text", ["docs/work/x", "the session ends", "onnx.helper.make_node", "a schema registry"])
def test_other_words_are_fine(text: str) -> None:
    assert not SAID_NOWHERE.search(text)
