"""Marks by which tools that make backups leave a folder out."""

from pathlib import Path

_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder must be part of no backup: see README.
# The tag is explained at https://bford.info/cachedir/
"""
MARKS = ("CACHEDIR.TAG", ".nobackup", "README")


def mark(folder: Path, readme: str) -> None:
    """Write the marks that are missing, with a text that says why."""
    for name, text in zip(MARKS, (_TAG, "", readme), strict=True):
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="ascii")
