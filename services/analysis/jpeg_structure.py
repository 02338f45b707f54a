"""Whether a JPEG is all there: decoders fill what is missing with gray, and say nothing."""

import re
from typing import Final

_START: Final = b"\xff\xd8"
_END: Final = 0xD9
_SCAN: Final = 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_BETWEEN_SCANS: Final = frozenset({0xC4, 0xCC, _SCAN, 0xDB, 0xDC, 0xDD, 0xFE, *range(0xE0, 0xF0)})
# In entropy-coded data 0xFF is followed by a stuffed 0, a restart marker or fill bytes; anything else ends it.
_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def is_whole_jpeg(data: bytes) -> bool:
    """Tells whether a JPEG's segments and scans (ITU-T T.81, annex B) run through to its end marker.

    What follows the end marker does not matter: motion photos keep a film there.
    """
    place = _first_scan(data)
    while place is not None:
        found = _MARKER.search(data, place)
        if found is None:
            return False
        code = data[found.end() - 1]
        if code == _END:
            return True
        place = _behind_segment(data, found.end()) if code in _BETWEEN_SCANS else None
    return False


def _first_scan(data: bytes) -> int | None:
    """Returns where the first entropy-coded data begins; None if the segments before it are broken."""
    if not data.startswith(_START):
        return None
    place: int | None = len(_START)
    while place is not None and place + 1 < len(data) and data[place] == 0xFF:
        code = data[place + 1]
        if code == _SCAN:
            return _behind_segment(data, place + 2)
        if code == 0xFF:
            place += 1
        else:
            place = place + 2 if code in _STANDALONE else _behind_segment(data, place + 2)
    return None


def _behind_segment(data: bytes, place: int) -> int | None:
    length = int.from_bytes(data[place : place + 2], "big")
    behind = place + length
    return behind if length >= 2 and behind < len(data) else None
