"""What a JPEG is made of: whether it is all there (decoders fill gaps with gray), and what of it is not picture."""

import re
from typing import Final

_START: Final = b"\xff\xd8"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_BETWEEN_SCANS: Final = frozenset({0xC4, 0xCC, _END, _SCAN, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
_BEFORE_SCANS: Final = frozenset({*range(0xC0, 0xFF), *_STANDALONE}) - {0xD8, _END}
# APP1 to APP13, APP15 and comments; APP0 is JFIF's and APP14 Adobe's.
_SILENT: Final = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
# In entropy-coded data 0xFF is followed by a stuffed 0, a restart marker or fill bytes; anything else ends it.
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def is_whole_jpeg(data: bytes) -> bool:
    """Tells whether a JPEG's segments and scans (ITU-T T.81, annex B) run through to its end marker.

    What follows the end marker does not matter: motion photos keep a film there.
    """
    return bare_jpeg(data) is not None


def bare_jpeg(data: bytes) -> bytes | None:
    """Returns a JPEG without anything in it but the picture; None if it is not whole.

    Comments, application segments (EXIF, thumbnails, profiles, other makers' data) and whatever follows the end are
    left out; those of JFIF and Adobe stay, for they say what the colours mean.
    """
    parts = [_START]
    place, allowed = len(_START), _BEFORE_SCANS
    while (segment := _segment(data, place)) is not None:
        code, end = segment
        if code not in allowed:
            return None
        if code == _SCAN:
            allowed = _BETWEEN_SCANS
        if code == _END:
            return b"".join((*parts, data[place:end]))
        if code not in _SILENT:
            parts.append(data[place:end])
        place = end
    return None


def _segment(data: bytes, place: int) -> tuple[int, int] | None:
    """Returns the marker at a place and where its segment, with the scan that follows it, ends; None if broken."""
    if data[:2] != _START or data[place : place + 1] != b"\xff":
        return None
    while data[place + 1 : place + 2] == b"\xff":
        place += 1
    code = data[place + 1] if place + 1 < len(data) else 0
    if code == _END or code in _STANDALONE:
        return code, place + 2
    length = int.from_bytes(data[place + 2 : place + 4], "big")
    end = place + 2 + length
    if length < 2 or end >= len(data):
        return None
    if code != _SCAN:
        return code, end
    found = _MARKER.search(data, end)
    return None if found is None else (code, found.start())
