"""Metadata items of HEIC and AVIF (ISO/IEC 14496-12, 8.11): where the `meta` box says that EXIF and XMP lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.picture_files.isobmff_boxes import IN_FILE, IN_META, BoxReader, locations
from services.picture_files.walking import Malformed, Parts

_XMP: Final = b"application/rdf+xml"


@dataclass(frozen=True)
class Item:
    """Metadata in the file.

    Attributes:
        is_exif: Whether it is EXIF; XMP otherwise.
        pieces: Offset and length of its pieces, in bytes from the file's start.
        content: Its bytes, where the box itself holds them; None otherwise.
    """

    is_exif: bool
    pieces: tuple[tuple[int, int], ...]
    content: bytes | None = None


def metadata_items(meta: bytes) -> list[Item]:
    """Return the items of EXIF and XMP that the content of a `meta` box names, as far as it can be read."""
    parts = Parts()
    try:
        boxes = dict(_boxes(meta[4:], parts))
        kinds = _kinds(boxes[b"iinf"], parts)
        return [
            Item(
                kinds[at.number],
                at.pieces,
                _joined(boxes.get(b"idat", b""), at.pieces) if at.method == IN_META else None,
            )
            for at in locations(_reader(boxes[b"iloc"]), parts)
            if at.number in kinds and at.method in (IN_FILE, IN_META)
        ]
    except (Malformed, KeyError):
        return []


def _reader(data: bytes) -> BoxReader:
    return BoxReader(data, 0, len(data))


def _boxes(data: bytes, parts: Parts) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        parts.next()
        size = int.from_bytes(data[at : at + 4], "big") or len(data) - at
        if size < 8:
            return
        yield data[at + 4 : at + 8], data[at + 8 : at + size]
        at += size


def _kinds(iinf: bytes, parts: Parts) -> dict[int, bool]:
    """Return the items that are metadata, by number: whether they are EXIF."""
    reader = _reader(iinf)
    reader.take(2 if reader.number(4) >> 24 == 0 else 4)
    found: dict[int, bool] = {}
    for kind, body in _boxes(reader.take(reader.left), parts):
        entry = _reader(body)
        version = entry.number(4) >> 24
        if kind != b"infe" or version < 2:
            continue
        number, _ = entry.number(2 if version == 2 else 4), entry.take(2)
        item_type, names = entry.take(4), entry.take(entry.left).split(b"\0")
        if item_type == b"Exif":
            found[number] = True
        elif item_type == b"mime" and names[1:2] == [_XMP]:
            found[number] = False
    return found


def _joined(data: bytes, pieces: tuple[tuple[int, int], ...]) -> bytes:
    return b"".join(data[offset : offset + length] for offset, length in pieces[:16])
