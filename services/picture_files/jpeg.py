"""JPEG (ITU-T T.81): segments, then entropy-coded data in which 0xFF is always followed by 0 or a marker.

What follows the end marker is no part of the picture: motion photos keep a film there, others a second picture. Bytes
between two segments are passed over, and the end marker may be missing behind picture data, as viewers do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from services.picture_files.walking import Ended, Find, Malformed, Parts, Take, Tell, Walk, Walker

START_MARKER: Final = b"\xff\xd8"
END_MARKER: Final = b"\xff\xd9"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BEFORE_SCANS: Final = frozenset({*range(0xC0, 0xFF), *_STANDALONE}) - {0xD8}
_BETWEEN_SCANS: Final = frozenset({0xC4, 0xCC, _END, _SCAN, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0), *_STANDALONE})
# APP1 to APP13, APP15 and comments; APP0 is JFIF's and APP14 Adobe's, which say what the colours mean.
_SILENT: Final = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
# In entropy-coded data: a marker, where restart markers, stuffed zeros and fill bytes are none.
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
# Between segments: fill bytes, stuffed zeros and bytes that belong to nothing may come before a marker.
_ANY_MARKER: Final = re.compile(rb"\xff[\x01-\xfe]")


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


def walk_jpeg(see: Callable[[Segment], None]) -> Walk[bool]:
    """Walk from the first byte to the end marker, showing each segment to `see`.

    Returns True once the end marker is reached; False where the file ends without one, but not before picture data.
    Whether that is all of the picture is for a decoder to say. A walk ends with `Malformed` where a marker stands
    that cannot be there.
    """
    scans: list[Segment] = []

    def note(segment: Segment) -> None:
        if segment.marker == _SCAN:
            scans.append(segment)
        see(segment)

    try:
        return (yield from _walk_to_end(note))
    except Ended:
        if not scans:
            raise
        return False


def _walk_to_end(see: Callable[[Segment], None]) -> Walk[bool]:
    parts, allowed = Parts(), _BEFORE_SCANS
    if (yield Take(2)) != START_MARKER:
        raise Malformed("it has no start marker")
    place, following = 2, b""
    while True:
        parts.next()
        marker = (following or (yield Find(_ANY_MARKER, 0xFF)))[1]
        if marker not in allowed:
            raise Malformed("it holds a marker that cannot be there: bytes were altered or lost")
        if marker == _END and allowed is _BEFORE_SCANS:
            raise Malformed("it ends before any picture data")
        body = b"" if marker == _END or marker in _STANDALONE else (yield from _body())
        following = b""
        if marker == _SCAN:
            allowed = _BETWEEN_SCANS
            try:
                following = yield Find(_MARKER, 0xFF)
            except Ended as ended:
                see(Segment(marker, place, ended.file_bytes, body))
                raise
        end = int.from_bytes((yield Tell()), "big") - len(following)
        see(Segment(marker, place, end, body))
        if marker == _END:
            return True
        place = end


def bare_jpeg(data: bytes) -> bytes | None:
    """Return a JPEG without anything in it but the picture; None if it has no end marker, or cannot be one.

    Comments, application segments (EXIF, thumbnails, profiles, other makers' data) and whatever follows the end are
    left out; those of JFIF and Adobe stay.
    """
    kept = [START_MARKER]

    def keep(segment: Segment) -> None:
        if segment.marker not in _SILENT:
            kept.append(data[segment.start : segment.end])

    walker = Walker(walk_jpeg(keep))
    try:
        walker.feed(data)
    except Malformed:
        return None
    return b"".join(kept) if walker.result else None


def lacks_end_marker(data: bytes) -> bool:
    """Tell whether a JPEG holds picture data, and ends without its end marker."""
    walker = Walker(walk_jpeg(lambda _: None))
    try:
        walker.feed(data)
        walker.finish()
    except Malformed:
        return False
    return walker.result is False


def _body() -> Walk[bytes]:
    length = int.from_bytes((yield Take(2)), "big") - 2
    if length < 0:
        raise Malformed("a segment has an impossible length")
    return (yield Take(length))
