"""Orientation: how the stored pixels are to be turned, read in one way by all.

HEIC and AVIF turn by their own properties (`irot`, `imir`), and whatever EXIF or XMP says besides counts as nothing
(ISO/IEC 23008-12, 6.5.10). For JPEG, PNG and WebP the EXIF orientation counts, in PNG that of an `eXIf` chunk before a
raw profile; where EXIF has none that can be, that of XMP (`tiff:Orientation`); else the picture is upright. Thumbnails
have an orientation of their own, which is that of no picture.
"""

from typing import Final

from PIL import ExifTags, Image

from services.picture_files.embedded import read_embedded
from services.picture_files.exif import exif_tags
from services.picture_files.heif_meta import meta_of
from services.picture_files.xmp import read_xmp

UPRIGHT: Final = 1
_LYING: Final = frozenset({5, 6, 7, 8})
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(exif: bytes | None, xmp: bytes | None) -> int:
    """Return what a file's blocks say, as an EXIF orientation from 1 to 8 (EXIF 2.32, 4.6.5); 1 if they say nothing.

    Args:
        exif: The EXIF block, with or without the prefix that JPEG wants before its TIFF header.
        xmp: The XMP packet.
    """
    first, _, _ = exif_tags(exif)
    return (
        _possible(first.get(ExifTags.Base.Orientation)) or _possible(read_xmp(xmp).text("tiff:Orientation")) or UPRIGHT
    )


def orientation_of_opened(image: Image.Image, data: bytes) -> int:
    """Return how a picture is still to be turned once Pillow has decoded it.

    Args:
        image: The file as Pillow opened it.
        data: The file.
    """
    if image.format == "HEIF":
        # Its decoder turns.
        return UPRIGHT
    if image.format == "AVIF":
        meta = meta_of(data)
        return UPRIGHT if meta is None else meta.orientation
    blocks = read_embedded(data)
    return orientation_of(blocks.exif, blocks.xmp)


def is_lying(orientation: int) -> bool:
    """Whether an orientation swaps width and height."""
    return orientation in _LYING


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return a picture turned and mirrored as an orientation says."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _possible(value: object) -> int | None:
    """Return an orientation, however it is typed; None for what is none."""
    if isinstance(value, tuple) and value:
        value = value[0]
    if isinstance(value, bytes):
        value = value[0] if len(value) == 1 else value.decode("ascii", "replace")
    if isinstance(value, str):
        text = value.strip("\0 ")
        value = int(text) if len(text) == 1 and text.isascii() and text.isdigit() else None
    return value if isinstance(value, int) and UPRIGHT <= value <= max(_LYING) else None
