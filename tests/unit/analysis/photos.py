"""Photos for tests: two people and no people, in every format and orientation, whole and broken, in bursts."""

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import skimage
from numpy.typing import NDArray
from PIL import ExifTags, Image

from inference.vision.pictures import Picture

LYON = (45.764, 4.8357)
_DATA = Path(skimage.__file__).parent / "data"


@cache
def photo(name: str) -> Image.Image:
    """Return a photo of scikit-image, such as "astronaut" (a face), "chelsea" (a cat), "coffee" or "rocket"."""
    path = next(path for path in (_DATA / f"{name}.png", _DATA / f"{name}.jpg") if path.exists())
    return Image.open(path).convert("RGB")


def pixels(name: str) -> Picture:
    return np.asarray(photo(name))


def exif(*, orientation: int | None = None, position: tuple[float, float] | None = None) -> Image.Exif:
    block = Image.Exif()
    if orientation is not None:
        block[ExifTags.Base.Orientation] = orientation
    if position is not None:
        block.get_ifd(ExifTags.IFD.GPSInfo).update(_gps(*position))
    return block


def encode(image: Image.Image, kind: str = "JPEG", *, exif: Image.Exif | None = None, quality: int = 90) -> bytes:
    return _encoded(image.mode, image.size, image.tobytes(), kind, b"" if exif is None else exif.tobytes(), quality)


@cache
def _encoded(mode: str, size: tuple[int, int], pixels: bytes, kind: str, exif: bytes, quality: int) -> bytes:
    pillow_heif.register_heif_opener(thumbnails=False)
    buffer = io.BytesIO()
    options: dict[str, object] = {"exif": exif} if exif else {}
    image = Image.frombytes(mode, size, pixels)
    image.save(buffer, kind, **options, **({"quality": quality} if kind != "PNG" else {}))
    return buffer.getvalue()


def lying(image: Image.Image, orientation: int) -> Image.Image:
    """Return how a camera stores an upright picture under an EXIF orientation."""
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose values that `exif_transpose` undoes
    return image if orientation == 1 else image.transpose(Image.Transpose(undo[orientation]))


def blurred(picture: Picture, share: float) -> Picture:
    """Blurs by a share of the long side."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), share * max(picture.shape[:2])), np.uint8)


def moved(picture: Picture, *, shift: float = 0.0, zoom: float = 1.0, gain: float = 1.0) -> Picture:
    """Return the next shot of a burst: shifted by a share of its width, zoomed, brighter or darker."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, zoom)
    matrix[0, 2] += shift * width
    warped = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    brighter: NDArray[np.float32] = warped.astype(np.float32) * gain
    return np.asarray(np.clip(brighter, 0, 255), np.uint8)


def _gps(latitude: float, longitude: float) -> Mapping[int, object]:
    return {
        ExifTags.GPS.GPSLatitudeRef: "N" if latitude >= 0 else "S",
        ExifTags.GPS.GPSLatitude: _sexagesimal(abs(latitude)),
        ExifTags.GPS.GPSLongitudeRef: "E" if longitude >= 0 else "W",
        ExifTags.GPS.GPSLongitude: _sexagesimal(abs(longitude)),
    }


def _sexagesimal(degrees: float) -> tuple[float, float, float]:
    minutes = (degrees % 1) * 60
    return float(int(degrees)), float(int(minutes)), round((minutes % 1) * 60, 4)
