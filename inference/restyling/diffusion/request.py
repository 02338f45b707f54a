"""Request to a restyler, and what is refused before any network runs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import ParameterOutOfRange, PictureNotRgb, PictureTooLarge, PictureTooSmall, StyleUnknown

MIN_SIDE: Final = 64
"""Pixels; below, a brush stroke is as large as the picture."""
MAX_SIDE: Final = 2048
MAX_PIXELS: Final = 1024 * 1024
"""Bounds the memory of one run, which grows with the area."""
MAX_STEPS: Final = 50
MAX_SEED: Final = 2**63 - 1

Picture: TypeAlias = NDArray[np.uint8]
"""UINT8 RGB [height, width, 3]."""
Array: TypeAlias = NDArray[np.float32]
Tensors: TypeAlias = Mapping[str, NDArray[np.generic]]
Run: TypeAlias = Callable[[str, Tensors], Tensors]
"""Runs a graph by its name: input name -> array, to output name -> array."""
Stopped: TypeAlias = Callable[[], bool]
"""Whether the picture is no longer waited for."""


@dataclass(frozen=True)
class RestyleRequest:
    """One photo to restyle.

    Attributes:
        photo: UINT8 RGB [height, width, 3].
        style: the index of the style.
        steps: how often the network runs, 1..50; more is finer and slower.
        strength: how far the photo is left behind, above 0 and up to 1.
        seed: draws the noise, 0..2**63-1.
    """

    photo: Picture
    style: int
    steps: int
    strength: float
    seed: int


def check_request(request: RestyleRequest, styles: Sequence[str]) -> None:
    """Refuses what cannot be restyled.

    Args:
        request: what is asked.
        styles: the names of the styles, by index.

    Raises:
        RequestRefused: by name, with what would be accepted.
    """
    check_picture(request.photo)
    if not 0 <= request.style < len(styles):
        known = ", ".join(f"{index} {name}" for index, name in enumerate(styles))
        raise StyleUnknown(f"there is no style {request.style}; choose one of: {known}", field="style")
    if not 1 <= request.steps <= MAX_STEPS:
        raise ParameterOutOfRange(f"steps is {request.steps}; give 1 to {MAX_STEPS}", field="steps")
    if not (math.isfinite(request.strength) and 0 < request.strength <= 1):
        raise ParameterOutOfRange(f"strength is {request.strength:g}; give more than 0, up to 1", field="strength")
    if not 0 <= request.seed <= MAX_SEED:
        raise ParameterOutOfRange(f"seed is {request.seed}; give 0 to {MAX_SEED}", field="seed")


def check_picture(photo: NDArray[np.generic]) -> None:
    """Refuses a photo of a wrong type, too small or too large.

    Raises:
        RequestRefused: by name, with what would be accepted.
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[-1] != 3:
        raise PictureNotRgb(f"the photo is {photo.dtype} {list(photo.shape)}; give UINT8 [H, W, 3]", field="photo")
    check_size(photo.shape[0], photo.shape[1])


def check_size(height: int, width: int) -> None:
    """Refuses a size, in pixels, that is too small or too large.

    Raises:
        PictureTooSmall: a side is under the least.
        PictureTooLarge: a side, or the area, is over the most.
    """
    size = f"the photo is {width} x {height} px"
    if min(height, width) < MIN_SIDE:
        raise PictureTooSmall(f"{size}; each side has to be at least {MIN_SIDE} px", field="photo")
    if max(height, width) > MAX_SIDE or height * width > MAX_PIXELS:
        raise PictureTooLarge(
            f"{size}; make it smaller: at most {MAX_SIDE} px a side and {MAX_PIXELS} px in all", field="photo"
        )
