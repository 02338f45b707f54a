"""Files as decoders want them: what is untidy, and no viewer minds, is left out or put right."""

from typing import Final

from services.picture_files.jpeg import END_MARKER, START_MARKER, lacks_end_marker
from services.picture_files.jpeg_rows import has_all_rows
from services.picture_files.png import sound_png

_BOX_HEADER_BYTES: Final = 8
_WIDE_BOX_HEADER_BYTES: Final = 16
_RIFF_HEADER_BYTES: Final = 12
_MAX_PARTS: Final = 50_000


def openable(data: bytes) -> bytes:
    """Return a file as a decoder opens it, which is the file itself as a rule.

    A JPEG gets the end marker that it lacks; `lacks_rows` tells whether its rows are there. A PNG loses side
    information that is broken or too large. HEIC and AVIF lose bytes behind their last box, WebP a last chunk that is
    cut short, behind the picture.
    """
    if data.startswith(START_MARKER):
        return data if data.endswith(END_MARKER) or not lacks_end_marker(data) else data + END_MARKER
    if data[4:8] == b"ftyp":
        return _whole_boxes(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _whole_chunks(data)
    return sound_png(data)


def lacks_rows(data: bytes, opened: bytes) -> bool:
    """Tell whether a file that `openable` made `opened` of is a JPEG that was cut short: a decoder would fill it up.

    The file is decoded if it is one that lacks its end marker, so its size in pixels must be known to be bearable.
    """
    return opened is not data and opened.startswith(START_MARKER) and not has_all_rows(opened)


def _whole_boxes(data: bytes) -> bytes:
    """Return the boxes that lie within the file; the last may be the picture data, which says that it is longer."""
    place = 0
    for _ in range(_MAX_PARTS):
        left = len(data) - place
        size, header = int.from_bytes(data[place : place + 4], "big"), _BOX_HEADER_BYTES
        if size == 0 and left >= _BOX_HEADER_BYTES:
            return data
        if size == 1:
            size, header = int.from_bytes(data[place + 8 : place + 16], "big"), _WIDE_BOX_HEADER_BYTES
        if left < header or not header <= size <= left:
            break
        place += size
    if data[place + 4 : place + 8] == b"mdat":
        return data[:place] + b"\0\0\0\0" + data[place + 4 :]
    return data[:place] if place else data


def _whole_chunks(data: bytes) -> bytes:
    """Return the chunks that lie within the file, with the length that they then have."""
    end = int.from_bytes(data[4:8], "little") + 8
    if end <= len(data):
        return data
    place = _RIFF_HEADER_BYTES
    for _ in range(_MAX_PARTS):
        following = place + 8 + int.from_bytes(data[place + 4 : place + 8], "little")
        if following > len(data) or len(data) - place < 8:
            break
        place = following + following % 2
    whole = data[:place].ljust(place, b"\0")
    return b"RIFF" + (len(whole) - 8).to_bytes(4, "little") + whole[8:]
