"""EXIF: its tags, and where a picture was taken.

The block is found by a walk through the file and read by Pillow, of which only the tag reader is used: no pixel is
decoded. Cameras write nonsense into these fields, attackers worse: whatever cannot be read counts as not there.
"""

import io
import re
import struct
import warnings
from collections.abc import Mapping

from PIL import ExifTags, Image, TiffImagePlugin

from services.picture_files.coordinates import position_of

_HEADER = re.compile(rb"II\*\0|MM\0\*")
_HEADER_WITHIN = 64
"""Bytes in which the TIFF header begins: what stands before it is written in many ways, and says nothing."""
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
)
_GPS = ExifTags.GPS


Tags = dict[int, object]


def exif_tags(block: bytes | None) -> tuple[Tags, Tags, Tags]:
    """Return the tags of a block's first directory, of its Exif directory and of its GPS directory.

    Tag by tag: one that cannot be read costs none of the others.
    """
    found = _HEADER.search(block or b"", 0, _HEADER_WITHIN)
    data = b"" if block is None or found is None else block[found.start() :]
    file, head = io.BytesIO(data), data[:8]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            first = _directory(file, head, TiffImagePlugin.ImageFileDirectory_v2(head).next)
        except _UNREADABLE:
            return {}, {}, {}
        details, position = (
            _directory(file, head, first.get(tag)) for tag in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
        )
    return first, details, position


def tag_text(value: object) -> str:
    """Return a tag's text, whatever type it was written as; "" if it is none."""
    if isinstance(value, tuple):
        # Text typed as numbers: one a character.
        value = bytes(value) if all(isinstance(part, int) and 0 <= part < 256 for part in value) else ""
    elif isinstance(value, int) and 0 <= value < 128:
        value = chr(value)
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value.strip("\0 \t\r\n") if isinstance(value, str) else ""


def read_position(exif: Image.Exif) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees (EXIF 2.32, 4.6.6); None if there are none, or none that make sense."""
    try:
        return gps_position(exif.get_ifd(ExifTags.IFD.GPSInfo))
    except _UNREADABLE:
        return None


def gps_position(tags: Mapping[int, object]) -> tuple[float, float] | None:
    """Return latitude and longitude in degrees of a GPS directory; None if there are none that make sense."""
    try:
        return position_of(
            (tags.get(_GPS.GPSLatitude), tag_text(tags.get(_GPS.GPSLatitudeRef))),
            (tags.get(_GPS.GPSLongitude), tag_text(tags.get(_GPS.GPSLongitudeRef))),
        )
    except _UNREADABLE:
        return None


def _directory(file: io.BytesIO, head: bytes, place: object) -> Tags:
    if not isinstance(place, int) or place <= 0:
        return {}
    directory, tags = TiffImagePlugin.ImageFileDirectory_v2(head), Tags()
    try:
        file.seek(place)
        directory.load(file)
    except _UNREADABLE:
        return {}
    for tag in directory:
        try:
            tags[tag] = directory[tag]
        except _UNREADABLE:
            continue
    return tags
