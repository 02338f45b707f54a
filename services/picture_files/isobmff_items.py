"""Metadata items of HEIC and AVIF (ISO/IEC 14496-12, 8.11): where the `meta` box says that EXIF and XMP lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from services.picture_files.walking import Malformed, Parts

_IN_FILE: Final = 0
_IN_META: Final = 1
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


class _Bytes:
    """Reads numbers one after the other; every method raises `Malformed` where the bytes end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        piece = self._data[self._at : self._at + size]
        if len(piece) != size:
            raise Malformed("its description is cut short")
        self._at += size
        return piece

    def number(self, size: int) -> int:
        """Return a big-endian number; 0 for one of no bytes."""
        return int.from_bytes(self.take(size), "big")

    def rest(self) -> bytes:
        """Return all that follows."""
        return self._data[self._at :]


def metadata_items(meta: bytes) -> list[Item]:
    """Return the items of EXIF and XMP that the content of a `meta` box names, as far as it can be read."""
    parts = Parts()
    try:
        boxes = dict(_boxes(meta[4:], parts))
        kinds = _kinds(boxes[b"iinf"], parts)
        return [
            Item(kinds[number], pieces, _joined(boxes.get(b"idat", b""), pieces) if method == _IN_META else None)
            for number, method, pieces in _locations(boxes[b"iloc"], parts)
            if number in kinds and method in (_IN_FILE, _IN_META)
        ]
    except (Malformed, KeyError):
        return []


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
    reader = _Bytes(iinf)
    reader.take(2 if reader.number(4) >> 24 == 0 else 4)
    found: dict[int, bool] = {}
    for kind, body in _boxes(reader.rest(), parts):
        entry = _Bytes(body)
        version = entry.number(4) >> 24
        if kind != b"infe" or version < 2:
            continue
        number, _ = entry.number(2 if version == 2 else 4), entry.take(2)
        item_type, names = entry.take(4), entry.rest().split(b"\0")
        if item_type == b"Exif":
            found[number] = True
        elif item_type == b"mime" and names[1:2] == [_XMP]:
            found[number] = False
    return found


def _locations(iloc: bytes, parts: Parts) -> Iterator[tuple[int, int, tuple[tuple[int, int], ...]]]:
    """Yield number, construction method and pieces of every item."""
    reader = _Bytes(iloc)
    version = reader.number(4) >> 24
    (offset_size, length_size), (base_size, index_size) = divmod(reader.number(1), 16), divmod(reader.number(1), 16)
    for _ in range(reader.number(2 if version < 2 else 4)):
        parts.next()
        number = reader.number(2 if version < 2 else 4)
        method = reader.number(2) & 15 if version else _IN_FILE
        reader.take(2)
        base, pieces = reader.number(base_size), []
        for _ in range(reader.number(2)):
            parts.next()
            reader.take(index_size if version else 0)
            pieces.append((base + reader.number(offset_size), reader.number(length_size)))
        yield number, method, tuple(pieces)


def _joined(data: bytes, pieces: tuple[tuple[int, int], ...]) -> bytes:
    return b"".join(data[offset : offset + length] for offset, length in pieces[:16])
