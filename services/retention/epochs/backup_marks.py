"""Marks by which tools that make backups leave a folder out."""

from pathlib import Path

_TAG = """\
Signature: 8a477f597d28d172789f06886806bc55
# This folder holds keys that must be part of no backup: see README.
# The tag is explained at https://bford.info/cachedir/
"""
_README = """\
The keys of epochs, a file for each of the last days, sealed under the root key.

No backup, snapshot or copy may hold this folder: with one, what people have deleted can be opened again for as long as
the copy lies there. That is why tools that make backups find CACHEDIR.TAG and .nobackup here.

Do not empty it either: what the keys of living epochs sealed is lost with them.
"""
MARKS = {"CACHEDIR.TAG": _TAG, ".nobackup": "", "README": _README}


def mark(folder: Path) -> None:
    """Write the marks that are missing."""
    for name, text in MARKS.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="ascii")
