"""ICC profiles (ICC.1:2022): applied by what they do to colours; what they are called says nothing."""

import io
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from services.picture_files.colours.code_points import HLG, PQ
from services.picture_files.heif_meta import Cicp

_HEADER_BYTES: Final = 128
_MOST_TAGS: Final = 200
_CICP_BYTES: Final = 12
_SPACES: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_KEPT: Final = 16
_LARGEST_DIFFERENCE: Final = 2
"""Numbers of 255 by which a profile may move a colour and still be that of sRGB; other makers' differ by one."""


class Profile:
    """A profile that can be applied.

    Attributes:
        mode: Pillow's mode of the pictures that it is for: RGB, L or CMYK.
        is_srgb: Whether it leaves every colour of an sRGB picture as it is.
    """

    def __init__(self, mode: str, transform: ImageCms.ImageCmsTransform) -> None:
        self.mode = mode
        self._transform = transform
        self.is_srgb = mode != "CMYK" and self._changes_nothing()

    def apply(self, image: Image.Image) -> Image.Image:
        """Return a picture of its mode in sRGB."""
        converted = ImageCms.applyTransform(image, self._transform)
        if converted is None:
            raise ImageCms.PyCMSError("the transform gave no picture")
        return converted

    def _changes_nothing(self) -> bool:
        samples = _gray_samples() if self.mode == "L" else _colour_samples()
        before, after = np.asarray(samples.convert("RGB"), np.int16), np.asarray(self.apply(samples), np.int16)
        return int(np.abs(after - before).max()) <= _LARGEST_DIFFERENCE


@lru_cache(maxsize=_KEPT)
def read_profile(data: bytes) -> Profile | None:
    """Return a profile that can be applied; None if it is broken, or of a space that no picture is in."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(data))
        mode = _SPACES.get(opened.profile.xcolor_space.strip())
        if mode is None:
            return None
        return Profile(mode, ImageCms.buildTransform(opened, _srgb(), mode, "RGB"))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        # A broken profile spoils the colours, not the picture.
        return None


def bright_code_points(data: bytes) -> Cicp | None:
    """Return the code points in a profile of what is brighter than paper (`cicp`, ICC.1:2022, 9.2.17).

    The rest of such a profile is for programs that know no code points.
    """
    count = min(int.from_bytes(data[_HEADER_BYTES : _HEADER_BYTES + 4], "big"), _MOST_TAGS)
    for entry in range(_HEADER_BYTES + 4, _HEADER_BYTES + 4 + 12 * count, 12):
        start = int.from_bytes(data[entry + 4 : entry + 8], "big")
        body = data[start : start + _CICP_BYTES]
        if data[entry : entry + 4] == body[:4] == b"cicp" and len(body) == _CICP_BYTES and body[9] in (PQ, HLG):
            return Cicp(body[8], body[9], full_range=bool(body[11]))
    return None


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=1)
def _gray_samples() -> Image.Image:
    return Image.fromarray(np.arange(256, dtype=np.uint8)[None])


@lru_cache(maxsize=1)
def _colour_samples() -> Image.Image:
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1)
    return Image.fromarray(np.ascontiguousarray(grid.reshape(9, 81, 3)))
