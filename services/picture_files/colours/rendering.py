"""Rendering of an opened file as a picture that every screen shows: opaque, reduced, in sRGB, on 8 bits."""

from typing import Final

import numpy as np
from PIL import Image

from services.picture_files.colours.sources import GRAY_MODES, colours_of

_WHITE: Final = 255
_PNG_DEPTH_AT: Final = 24
_OPAQUE: Final = frozenset({"L", "RGB", "CMYK"})


def render(image: Image.Image, data: bytes, side: int, resample: Image.Resampling) -> Image.Image:
    """Return a picture as it is stored, of mode RGB, its long side at most `side` pixels.

    Raises whatever Pillow's readers raise on a broken file.

    Args:
        image: The file as Pillow opened it; it is decoded.
        data: The file.
        side: In pixels; a smaller picture keeps its size.
        resample: How it is reduced.
    """
    colours = colours_of(image, data)
    image.draft(None, (side, side))
    image.load()
    reduced = on_white(image, data)
    reduced.thumbnail((side, side), resample, reducing_gap=2.0)
    return colours.convert(reduced)


def on_white(image: Image.Image, data: bytes) -> Image.Image:
    """Return a decoded picture without transparency, as on paper, in L, RGB or CMYK.

    Args:
        image: Decoded.
        data: Its file.
    """
    if image.mode in GRAY_MODES:
        return _gray_on_white(image, data)
    if not image.has_transparency_data:
        return image if image.mode in _OPAQUE else image.convert("RGB")
    transparent = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(transparent, tuple) and _depth(image, data) == 16:
        # Of numbers on 16 bits Pillow keeps the upper half.
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    with_alpha = image.convert("RGBA")
    opaque = Image.new("RGB", image.size, "white")
    opaque.paste(with_alpha, mask=with_alpha)
    return opaque


def _gray_on_white(image: Image.Image, data: bytes) -> Image.Image:
    if image.mode in ("LA", "La"):
        with_alpha = image.convert("LA")
        opaque = Image.new("L", image.size, _WHITE)
        opaque.paste(with_alpha.getchannel("L"), mask=with_alpha.getchannel("A"))
        return opaque
    transparent = image.info.get("transparency")
    if image.mode in ("1", "L") and not isinstance(transparent, int):
        return image.convert("L")
    numbers = np.asarray(image if image.mode.startswith("I") else image.convert("L"))
    gray = np.rint(numbers / 257).clip(0, _WHITE).astype(np.uint8) if image.mode.startswith("I") else numbers.copy()
    if isinstance(transparent, int):
        gray[numbers == _as_decoded(transparent, image, data)] = _WHITE
    return Image.fromarray(gray)


def _as_decoded(transparent: int, image: Image.Image, data: bytes) -> int:
    """Return the number of a gray as it is decoded: below 8 bits they are spread over the whole range."""
    depth = _depth(image, data)
    # On one bit Pillow has spread it already.
    return transparent * _WHITE // (2**depth - 1) if depth in (2, 4) else transparent


def _depth(image: Image.Image, data: bytes) -> int:
    """Return how many bits a number of a PNG has; 8 for other files."""
    return data[_PNG_DEPTH_AT] if image.format == "PNG" and data[_PNG_DEPTH_AT] in (1, 2, 4, 8, 16) else 8
