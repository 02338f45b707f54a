"""Decoding of files into pictures, and encoding of small JPEGs. Limits are checked before anything is decoded."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
import pillow_heif
from PIL import Image

from inference.vision.pictures import Picture
from services.analysis.errors import PictureUnusable
from services.picture_files.colours.rendering import render
from services.picture_files.colours.sources import Colours, colours_of
from services.picture_files.jpeg import bare_jpeg
from services.picture_files.openable import lacks_rows, openable
from services.picture_files.orientation import orientation_of_opened

WORK_SIDE: Final = 2048
"""Long side in pixels of the picture that everything is made from; also of the preview. So long are the reduced copies
that phones send, which then are worked with and kept as they are."""
_ENOUGH_SIDE: Final = 1600
"""What decoding leaves at the least of a larger picture: it halves for next to nothing."""
THUMBNAIL_SIDE: Final = 320
SCREEN_QUALITY: Final = 85
THUMBNAIL_QUALITY: Final = 80
_PREVIEW_BYTES: Final = 1024 * 1024
FORMATS: Final = ("JPEG", "MPO", "PNG", "WEBP", "HEIF", "AVIF")

_JPEG: Final = frozenset({"JPEG", "MPO"})
_DECODE: Final = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


@dataclass(frozen=True)
class Limits:
    """How much is decoded at most.

    Attributes:
        pixels: Width times height of a file.
        side: Of a file, in pixels.
    """

    pixels: int = 100_000_000
    side: int = 32_000


def prepare_decoders() -> None:
    """Set the decoders up, once per process: one thread each, HEIC, and our limits in place of Pillow's."""
    cv2.setNumThreads(1)
    Image.init()
    pillow_heif.register_heif_opener(thumbnails=False)
    Image.MAX_IMAGE_PIXELS = None


class PictureFile:
    """A file with a picture in it, its header read.

    `prepare_decoders` must have run.

    Attributes:
        size: Width and height as stored, in pixels.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Read the header.

        Raises:
            PictureUnusable: it is none of `FORMATS`, broken, or larger than the limits.
        """
        self._stored, self._data = data, openable(data)
        with _blamed("its header cannot be read"):
            self._image = Image.open(io.BytesIO(self._data), formats=_openable())
            self.size = self._image.size
        self._format = self._image.format or ""
        self._colours: Colours | None = None
        width, height = self.size
        if width * height > limits.pixels or max(width, height) > limits.side:
            raise PictureUnusable.too_large(self.size, pixels=limits.pixels, side=limits.side)

    def exif(self) -> Image.Exif:
        """Return what it says of itself. A PNG says so at its end, and is decoded for it.

        Raises:
            PictureUnusable: it is broken.
        """
        with _blamed("what it says of itself cannot be read"):
            return self._image.getexif()

    @cached_property
    def orientation(self) -> int:
        """How the decoded pixels are to be turned, as an EXIF orientation from 1 to 8."""
        return orientation_of_opened(self._image, self._data)

    def decode(self) -> Picture:
        """Decode the picture once, upright, long side at most `WORK_SIDE`, in sRGB.

        Raises:
            PictureUnusable: it is broken.
        """
        with _blamed("its picture data cannot be decoded"):
            picture = self._decode_jpeg() if self._is_plain_jpeg() else self._decode_other()
        return turn_upright(picture, self.orientation)

    def as_preview(self) -> bytes | None:
        """Return the file's own picture data, if it is an upright JPEG that is as small as a preview may be.

        Nothing is in it but the picture. Encoding it again would cost time and make it worse.
        """
        fits = max(self.size) <= WORK_SIDE and len(self._data) <= _PREVIEW_BYTES
        serves = fits and self._is_plain_jpeg() and self.orientation == 1 and self._colours_of_file().is_srgb
        return bare_jpeg(self._data) if serves else None

    def _is_plain_jpeg(self) -> bool:
        # Ink goes the slow way, which knows it.
        return self._format in _JPEG and self._image.mode in ("RGB", "L")

    def _colours_of_file(self) -> Colours:
        self._colours = self._colours or colours_of(self._image, self._data)
        return self._colours

    def _decode_jpeg(self) -> Picture:
        self._check_rows()
        reduction = max(factor for factor in _DECODE if factor == 1 or max(self.size) >= factor * _ENOUGH_SIDE)
        flags = _DECODE[reduction] | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
        decoded = cv2.imdecode(np.frombuffer(self._data, np.uint8), flags)
        if decoded is None:
            raise PictureUnusable.corrupt("its picture data cannot be decoded")
        picture, colours = shrink(np.asarray(decoded, np.uint8), WORK_SIDE), self._colours_of_file()
        if colours.is_srgb:
            return picture
        stored = picture if self._image.mode == "RGB" else np.ascontiguousarray(picture[..., 0])
        return np.asarray(colours.convert(Image.fromarray(stored)), np.uint8)

    def _check_rows(self) -> None:
        """Refuse a JPEG that libjpeg would fill up with gray where its data end too early."""
        if bare_jpeg(self._data) is None or lacks_rows(self._stored, self._data):
            raise PictureUnusable.corrupt("it was cut short or altered: its picture data does not end as it must")

    def _decode_other(self) -> Picture:
        if self._format in _JPEG:
            self._check_rows()
        return np.asarray(render(self._image, self._data, WORK_SIDE, Image.Resampling.BILINEAR), np.uint8)


@contextmanager
def _blamed(detail: str) -> Iterator[None]:
    """Lay whatever a decoder raises on the file, but for a want of memory."""
    try:
        yield
    except (PictureUnusable, MemoryError):
        raise
    except Exception as error:  # decoders of hostile files raise what their authors never thought of
        raise PictureUnusable.corrupt(detail) from error


def turn_upright(picture: Picture, orientation: int) -> Picture:
    """Turn and mirrors a picture as its EXIF orientation (1 to 8, EXIF 2.32, 4.6.5) says."""
    turned = np.ascontiguousarray(picture.transpose(1, 0, 2)) if orientation >= 5 else picture
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return turned if flip is None else np.asarray(cv2.flip(turned, flip), np.uint8)


def shrink(picture: Picture, side: int) -> Picture:
    """Reduces a picture to a long side; a smaller one stays as it is.

    Halves by averaging for as long as that is possible, then interpolates: as good as averaging all the way, at a
    fifth of the time.
    """
    while max(picture.shape[:2]) >= 2 * side:
        half = max(picture.shape[1] // 2, 1), max(picture.shape[0] // 2, 1)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def encode_jpeg(picture: Picture, quality: int) -> bytes:
    """Make a JPEG of a picture, with nothing in it but the picture."""
    encoded, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise PictureUnusable.corrupt("no preview of it can be made")
    return data.tobytes()


def _openable() -> list[str]:
    return [name for name in FORMATS if name in Image.OPEN]
