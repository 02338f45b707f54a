"""JPEG (ITU-T T.81): segments, then entropy-coded data in which 0xFF is always followed by 0 or a marker.

What follows the end marker is no part of the picture: motion photos keep a film there, others a second picture.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.picture_files.walking import Find, Malformed, Parts, Take, Tell, Walk, Walker

_EXIF_PREFIX: Final = b"Exif\0\0"
_START: Final = b"\xff\xd8"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_APP1: Final = 0xE1
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BEFORE_SCANS: Final = frozenset({*range(0xC0, 0xFF), *_STANDALONE}) - {0xD8}
_BETWEEN_SCANS: Final = frozenset({0xC4, 0xCC, _END, _SCAN, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
# APP1 to APP13, APP15 and comments; APP0 is JFIF's and APP14 Adobe's, which say what the colours mean.
_SILENT: Final = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
# In entropy-coded data: a marker, where restart markers, stuffed zeros and fill bytes are none.
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True)
class Segment:
    """A marker with all that belongs to it: of a scan the entropy-coded data as well.

    Attributes:
        marker: The second byte of the marker.
        start: Where it begins in the file, fill bytes before it included.
        end: Where it ends.
        body: What follows the marker's length; of a scan the header alone.
    """

    marker: int
    start: int
    end: int
    body: bytes = field(default=b"", repr=False)

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """Width and height in pixels if it is a frame's header; None otherwise.

        Raises:
            Malformed: the header is too short.
        """
        if self.marker not in _FRAMES:
            return None
        if len(self.body) < 6:
            raise Malformed("its header is too short")
        return int.from_bytes(self.body[3:5], "big"), int.from_bytes(self.body[1:3], "big")

    @property
    def exif(self) -> bytes | None:
        """The EXIF block, if it is one."""
        return self.body if self.marker == _APP1 and self.body.startswith(_EXIF_PREFIX) else None


def walk_jpeg(see: Callable[[Segment], None]) -> Walk[bool]:
    """Walk from the first byte to the end marker, showing each segment to `see`; True once that is reached.

    A walk ends with `Malformed` where a marker is missing, or one stands that cannot be there.
    """
    parts, allowed = Parts(), _BEFORE_SCANS
    if (yield Take(2)) != _START:
        raise Malformed("it has no start marker")
    place, following = 2, b""
    while True:
        parts.next()
        marker = yield from _marker(following, parts)
        if marker not in allowed:
            raise Malformed("it holds a marker that cannot be there: bytes were altered or lost")
        if marker == _END and allowed is _BEFORE_SCANS:
            raise Malformed("it ends before any picture data")
        body = b"" if marker == _END or marker in _STANDALONE else (yield from _body())
        following = b""
        if marker == _SCAN:
            allowed = _BETWEEN_SCANS
            following = yield Find(_MARKER, 0xFF)
        end = int.from_bytes((yield Tell()), "big") - len(following)
        see(Segment(marker, place, end, body))
        if marker == _END:
            return True
        place = end


def bare_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG without anything in it but the picture; None if it is not whole.

    Comments, application segments (EXIF, thumbnails, profiles, other makers' data) and whatever follows the end are
    left out; those of JFIF and Adobe stay.
    """
    kept = [_START]

    def keep(segment: Segment) -> None:
        if segment.marker not in _SILENT:
            kept.append(data[segment.start : segment.end])

    walker = Walker(walk_jpeg(keep))
    try:
        walker.feed(data)
    except Malformed:
        return None
    return b"".join(kept) if walker.result else None


def _marker(following: bytes, parts: Parts) -> Walk[int]:
    """Return the next marker's second byte; `following` is the marker if a scan's end has shown it."""
    lead, code = following or (yield Take(2))
    if lead != 0xFF:
        raise Malformed("a marker is missing where one must be: bytes were altered or lost")
    while code == 0xFF:
        parts.next()
        (code,) = yield Take(1)
    return code


def _body() -> Walk[bytes]:
    length = int.from_bytes((yield Take(2)), "big") - 2
    if length < 0:
        raise Malformed("a segment has an impossible length")
    return (yield Take(length))
