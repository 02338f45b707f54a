"""JPEG (ITU-T T.81): segments, then entropy-coded data in which 0xFF is always followed by 0 or a marker.

What follows the end marker is no part of the picture: motion photos keep a film there, others a second picture.
"""

import re

from services.ingest.content.picture import EXIF_PREFIX, Limits, Picture, tiff_block
from services.ingest.content.walking import Find, Parts, Skip, Take, Walk
from services.ingest.domain import MediaType
from services.ingest.errors import MediaCorrupt

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START, _END, _SCAN, _APP1 = 0xD8, 0xD9, 0xDA, 0xE1
_BETWEEN_SCANS = frozenset({0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
# In entropy-coded data: a marker, where restart markers, stuffed zeros and fill bytes are none.
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


class _Found:
    """What the segments said so far."""

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        self.exif: bytes | None = None


def walk_jpeg(limits: Limits) -> Walk[Picture]:
    """Walks from the first byte to the end marker."""
    found, parts = _Found(), Parts()
    yield Skip(2)
    while (marker := (yield from _next_marker())) != _SCAN:
        parts.next()
        if marker == _END:
            raise MediaCorrupt("it ends before any picture data")
        if marker not in _STANDALONE:
            yield from _segment(marker, found, limits)
    if found.size is None:
        raise MediaCorrupt("its picture data comes without a header")
    yield from _scans(found, limits, parts)
    width, height = found.size
    return Picture(MediaType.JPEG, width, height, found.exif)


def _next_marker() -> Walk[int]:
    lead, code = yield Take(2)
    if lead != 0xFF:
        raise MediaCorrupt("a marker is missing where one must be")
    while code == 0xFF:
        (code,) = yield Take(1)
    if code in (0, _START):
        raise MediaCorrupt("a marker has a value that no JPEG has there")
    return code


def _segment(marker: int, found: _Found, limits: Limits) -> Walk[None]:
    length = int.from_bytes((yield Take(2)), "big") - 2
    if length < 0:
        raise MediaCorrupt("a segment has an impossible length")
    if marker in _FRAMES:
        body = yield Take(length)
        if len(body) < 6:
            raise MediaCorrupt("its header is too short")
        found.size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        limits.check(*found.size)
    elif marker == _APP1 and found.exif is None:
        body = yield Take(length)
        if body.startswith(EXIF_PREFIX):
            found.exif = tiff_block(body)
    else:
        yield Skip(length)


def _scans(found: _Found, limits: Limits, parts: Parts) -> Walk[None]:
    marker = _SCAN
    while marker != _END:
        parts.next()
        if marker not in _BETWEEN_SCANS:
            raise MediaCorrupt("its picture data holds a marker that cannot be there: bytes were altered or lost")
        yield from _segment(marker, found, limits)
        marker = (yield Find(_MARKER, 0xFF))[1]
