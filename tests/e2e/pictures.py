"""A small roll made out of the pictures that come with scikit-image and scikit-learn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import skimage.data
import sklearn.datasets
from PIL import ExifTags, Image, ImageFilter

_FRAME, _COMMENT, _COMMENT_BYTES = b"\xff\xc0", b"\xff\xfe", 65_000
TAKEN, OFFSET, ORIENTATION = 0x9003, 0x9011, 0x0112
FACE = "IMG_0001.jpg"


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def save(path: Path, picture: Image.Image, taken: datetime, *, position: tuple[float, float] | None = None) -> Path:
    """Write a JPEG as a phone would."""
    exif = Image.Exif()
    block = exif.get_ifd(ExifTags.IFD.Exif)
    block[TAKEN], block[OFFSET] = taken.strftime("%Y:%m:%d %H:%M:%S"), "+00:00"
    if position is not None:
        gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
        gps[1], gps[2] = "N" if position[0] >= 0 else "S", _degrees(position[0])
        gps[3], gps[4] = "E" if position[1] >= 0 else "W", _degrees(position[1])
    picture.save(path, "JPEG", quality=92, exif=exif)
    return path


def with_comments(jpeg: bytes, size: int) -> bytes:
    """Return the same picture in a file of about so many bytes, as cameras write that leave room for their notes."""
    frame = jpeg.index(_FRAME)
    comment = _COMMENT + (_COMMENT_BYTES + 2).to_bytes(2, "big") + bytes(_COMMENT_BYTES)
    return jpeg[:frame] + comment * ((size - len(jpeg)) // len(comment)) + jpeg[frame:]


def sources() -> dict[str, Image.Image]:
    """Return pictures by what they show."""
    arrays = {
        "astronaut": skimage.data.astronaut(),
        "coffee": skimage.data.coffee(),
        "cat": skimage.data.chelsea(),
        "rocket": skimage.data.rocket(),
        "temple": sklearn.datasets.load_sample_image("china.jpg"),
        "flower": sklearn.datasets.load_sample_image("flower.jpg"),
    }
    return {name: enlarged(Image.fromarray(np.asarray(array))) for name, array in arrays.items()}


def enlarged(picture: Image.Image, side: int = 1280) -> Image.Image:
    scale = side / max(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS)


def make_roll(folder: Path) -> Path:
    """Write one moment of six photos, a near-duplicate, a blurred shot and a photo with a place."""
    folder.mkdir(parents=True, exist_ok=True)
    start = now() - timedelta(days=3)
    pictures = sources()
    for number, picture in enumerate(pictures.values(), 1):
        save(folder / f"IMG_{number:04d}.jpg", picture, start + timedelta(minutes=4 * number), position=(45.76, 4.84))
    cat = pictures["cat"]
    nearly = cat.crop((8, 6, cat.width - 8, cat.height - 6))
    save(folder / "IMG_0007.jpg", nearly, start + timedelta(minutes=12, seconds=3))
    blurred = pictures["coffee"].filter(ImageFilter.GaussianBlur(14))
    save(folder / "IMG_0008.jpg", blurred, start + timedelta(minutes=40))
    return folder


def _degrees(value: float) -> tuple[float, float, float]:
    whole, minutes = divmod(abs(value), 1)
    return whole, float(int(minutes * 60)), round((minutes * 60 % 1) * 60, 3)
