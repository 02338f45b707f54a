"""What no file of the project says: where packages come from is the machine's own affair, and so is who wrote it."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REGISTRIES = (
    r"pypi\.org|pythonhosted\.|npmjs\.|registry\.[a-z]+\.|proxy\.golang\.|crates\.io|--index-url|--extra-index-url"
)
WORKPLACES = r"(?<![\w.])/work/|/tmp/brief|/home/[a-z]|(?<![\w.$])/root/|\bcoordinator\b|\bworkplace\b"
# `helper` is what the package onnx calls a module of its own.
CHATTER = r"\bthe brief\b|\b(?:this|my|last|next) session\b|\bhelper (?:session|agent)|\bmy task\b"
SAID_NOWHERE = re.compile(f"{REGISTRIES}|{WORKPLACES}|{CHATTER}", re.IGNORECASE)
# In every match one of these stands: looking for them first is fifty times as fast.
HINTS = (
    *("pypi", "pythonhosted", "npmjs", "registry.", "proxy.golang", "crates.io", "index-url"),
    *("/work/", "/tmp/brief", "/home/", "/root/", "coordinator", "workplace", "the brief", "session", "agent", "task"),
)
SELF = Path(__file__).resolve()


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Yields the name and text of every file that is committed, pictures and other bytes left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        content = path.read_bytes() if path.is_file() and path != SELF else b""
        if b"\0" not in content[:8192]:
            yield name, content.decode("utf-8", errors="replace")


def said_in(text: str) -> list[re.Match[str]]:
    """Returns what a text says and should not."""
    lowered = text.lower()
    return list(SAID_NOWHERE.finditer(text)) if any(hint in lowered for hint in HINTS) else []


def test_no_file_names_a_registry_or_a_workplace() -> None:
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}"
        for name, text in tracked_texts()
        for match in said_in(text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["https://pypi.org/simple", "see /work/main/x", "registry.example.com/x", "my task", "in this session we"]
)
def test_such_words_are_found(text: str) -> None:
    assert said_in(text)


@pytest.mark.parametrize("text", ["docs/work/x", "the session ends", "onnx.helper.make_node", "a schema registry"])
def test_other_words_are_fine(text: str) -> None:
    assert not said_in(text)
