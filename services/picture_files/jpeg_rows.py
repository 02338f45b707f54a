"""Rows of a JPEG that lacks its end marker: whether all are there, which libjpeg does not tell."""

import hashlib
import io
import random
from typing import Final

from PIL import Image

from services.picture_files.jpeg import END_MARKER

_NOISE: Final = bytes(byte for byte in random.Random(1).randbytes(256) if byte != END_MARKER[0])  # noqa: S311  # no secret
# What a decoder that still waits for data makes something of, and one that has all passes over: in the interval that it
# is in, or in any of the next that begin with a restart marker.
_FURTHER_DATA: Final = _NOISE + b"".join(bytes((0xFF, 0xD0 + number)) + _NOISE for number in range(8))

_STRIP: Final = 256
"""Rows that are copied at a time."""


def has_all_rows(data: bytes) -> bool:
    """Tell whether a JPEG that ended in picture data, and was given its end marker, holds all of its rows.

    It is decoded twice, once with other data before the end marker. A picture whose rows are all there has no use for
    them and looks the same; one that was cut short goes on with them.
    """
    cut = data.removesuffix(END_MARKER).rstrip(END_MARKER[:1])
    looks = {_look(cut + more + END_MARKER) for more in (b"", _FURTHER_DATA)}
    return len(looks) == 1 and None not in looks


def _look(data: bytes) -> bytes | None:
    """Return a digest of all pixels of a JPEG; None if it cannot be decoded."""
    digest = hashlib.sha256()
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            image.load()
            for top in range(0, image.height, _STRIP):
                strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
                digest.update(strip.tobytes())
    except (OSError, SyntaxError, ValueError):
        return None
    return digest.digest()
