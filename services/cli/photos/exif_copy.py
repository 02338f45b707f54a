"""EXIF for a copy of a picture: what its file says of itself, as far as that can be written again."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from PIL import ExifTags, Image

from services.cli.photos.exif_position import put_position
from services.picture_files.exif import read_position

MAX_BYTES = 65_000
"""Of a JPEG's EXIF block, whose segment has no room for more."""
_LONG_VALUE = 4_096
_BLOCKS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_POINTERS = frozenset({ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo, ExifTags.IFD.Interop, ExifTags.IFD.MakerNote})


def exif_copy(exif: Image.Exif, *, with_position: bool) -> bytes:
    """Return an EXIF block for a copy.

    Cameras and programs write tags of the wrong type, which are read well enough and cannot be written: those are left
    out, and a position that is among them is written anew.

    Args:
        exif: Of the picture.
        with_position: Whether where it was taken may go along.
    """
    if not with_position and ExifTags.IFD.GPSInfo in exif:
        del exif[ExifTags.IFD.GPSInfo]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = _written(exif)
        return whole if whole is not None and len(whole) <= MAX_BYTES else _written(_writable(exif)) or b""


def _writable(exif: Image.Exif) -> Image.Exif:
    copy = Image.Exif()
    for tag, value in _tags(exif, None):
        if _is_writable(_single(None, tag, value)):
            copy[tag] = value
    for block in _BLOCKS:
        kept = {tag: value for tag, value in _tags(exif, block) if _is_writable(_single(block, tag, value))}
        if kept:
            copy.get_ifd(block).update(kept)
    put_position(copy, read_position(exif))
    return copy


def _tags(exif: Image.Exif, block: int | None) -> Iterator[tuple[int, object]]:
    """Yield the tags of a block, None for the first one, that can be read."""
    try:
        tags = dict(exif) if block is None else exif.get_ifd(block)
    except Exception:  # noqa: BLE001  # as of the writer, below
        return
    yield from ((tag, value) for tag, value in tags.items() if tag not in _POINTERS)


def _single(block: int | None, tag: int, value: object) -> Image.Exif:
    single = Image.Exif()
    (single if block is None else single.get_ifd(block))[tag] = value
    return single


def _is_writable(single: Image.Exif) -> bool:
    written = _written(single)
    return written is not None and len(written) <= _LONG_VALUE


def _written(exif: Image.Exif) -> bytes | None:
    try:
        return exif.tobytes()
    except Exception:  # noqa: BLE001  # the writer raises of every kind, by what the tag is
        return None
