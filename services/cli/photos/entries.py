"""Entries of a folder: what is to be imported of it, and what is not meant to be seen, with why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NAMES = (
    (".trashed-", "TRASHED", "its owner deleted it on the phone; restore it there to bring it in"),
    (".pending-", "PENDING", "the phone had not finished it; import the finished file"),
    ("._", "SIDE_FILE", "it holds side information of a Mac about another file, and no picture"),
)
_THUMBNAILS = ("THUMBNAIL", "it lies in a folder of thumbnails; import the pictures that they were made of")
_TRASH = ("TRASHED", "it lies in a folder of deleted files; restore it to bring it in")
_FOLDERS = {
    **dict.fromkeys(
        ("@eadir", ".@__thumb", ".thumbnails", ".thumbnail", ".thumbs", ".thumb", "thumbnails", "thumbs",
         ".thumbdata", ".thumbcache", ".picasaoriginals", "_thumbs", "thumb"),
        _THUMBNAILS,
    ),
    **dict.fromkeys(
        (".trash", ".trashes", ".trashed", ".globaltrash", ".recycle", "#recycle", "@recycle", "$recycle.bin",
         ".trash-1000", "recycler"),
        _TRASH,
    ),
    "__macosx": ("SIDE_FILE", "it holds side information of a Mac about another file, and no picture"),
}  # fmt: skip
_MARK = ".nomedia"
_NO_MEDIA = ("NO_MEDIA", f"its folder is marked with {_MARK}, which keeps it out of galleries; remove the mark first")
_OUTSIDE = ("LINK_OUTSIDE", "it is a link to what lies outside the folder; import the folder where that lies")
_FOLDER_LINK = ("LINK", "it is a link to a folder, whose files come in by themselves")


@dataclass(frozen=True)
class Entry:
    """A file of the folder, or a folder of it that cannot be read.

    Attributes:
        path: Where it is.
        reason: Why it is skipped, for scripts; empty if it is to be imported.
        detail: The same for people, with what to do about it.
        readable: False of a folder whose entries cannot be listed.
    """

    path: Path
    reason: str = ""
    detail: str = ""
    readable: bool = True


def walk(folder: Path) -> Iterator[Entry]:
    """Yield everything in the folder that is not a folder, in the order of the names.

    Links are not followed into folders. What cannot be listed is yielded as such, and the rest goes on.
    """
    root = folder.resolve()
    waiting: list[Iterator[Entry | _Folder]] = [_entries(_Folder(folder, ()), root)]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
        elif isinstance(found, _Folder):
            waiting.append(_entries(found, root))
        else:
            yield found


@dataclass(frozen=True)
class _Folder:
    """A folder to be listed; `why` is what its files are skipped for, if they are."""

    path: Path
    why: tuple[str, str] | tuple[()]


def _entries(folder: _Folder, root: Path) -> Iterator[Entry | _Folder]:
    try:
        with os.scandir(folder.path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        detail = f"the folder cannot be listed ({error.strerror}); check its permissions"
        yield Entry(folder.path, "FOLDER_UNREADABLE", detail, readable=False)
        return
    why = folder.why or (_NO_MEDIA if any(entry.name == _MARK for entry in entries) else ())
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield _Folder(Path(entry.path), why or _of_folder(entry.name))
        else:
            yield Entry(Path(entry.path), *(why or _of_file(entry.name) or _of_link(entry, root)))


def _of_folder(name: str) -> tuple[str, str] | tuple[()]:
    name = name.lower()
    return _TRASH if name.startswith(".trash-") else _FOLDERS.get(name, ())


def _of_file(name: str) -> tuple[str, str] | tuple[()]:
    lowered = name.lower()
    return next(((reason, detail) for start, reason, detail in _NAMES if lowered.startswith(start)), ())


def _of_link(entry: os.DirEntry[str], root: Path) -> tuple[str, str] | tuple[()]:
    """Say why a link is not followed; one that leads to nothing within the folder is refused when it is read."""
    if not entry.is_symlink():
        return ()
    try:
        target = Path(entry.path).resolve()
        is_folder = target.is_dir()
    except (OSError, RuntimeError):
        # A link to itself, or through what may not be read.
        return ()
    if not target.is_relative_to(root):
        return _OUTSIDE
    return _FOLDER_LINK if is_folder else _of_target(target, root)


def _of_target(target: Path, root: Path) -> tuple[str, str] | tuple[()]:
    """Say why what a link leads to is skipped: as it would be without the link."""
    for parent in target.relative_to(root).parents:
        if (why := _of_folder(parent.name)) or (why := _NO_MEDIA if os.path.lexists(root / parent / _MARK) else ()):
            return why
    return _of_file(target.name)
