"""Pictures as the models want them."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

DETECTOR_SIDE: Final = 640
SCENE_SIDE: Final = 224


@dataclass(frozen=True)
class Letterbox:
    """A picture reduced to the detector's square, at the upper left, with black beside or below it.

    Attributes:
        canvas: UINT8 RGB [640, 640, 3].
        width: of the picture on the canvas, in pixels of the canvas.
        height: likewise.
    """

    canvas: Picture
    width: int
    height: int


def letterbox(picture: Picture) -> Letterbox:
    """Fits a picture into the detector's square; a small picture keeps its size.

    Args:
        picture: UINT8 RGB [height, width, 3], no side of 0.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, DETECTOR_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.uint8)
    canvas[: size[1], : size[0]] = _resize(picture, size)
    return Letterbox(canvas, *size)


def scene_input(picture: Picture) -> Picture:
    """Resizes a whole picture, whatever its shape, to the scene classifier's square.

    Args:
        picture: UINT8 RGB [height, width, 3].

    Returns:
        UINT8 RGB [224, 224, 3].
    """
    return _resize(picture, (SCENE_SIDE, SCENE_SIDE))


def _resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resizes to (width, height): averages when a side shrinks, interpolates when both grow."""
    height, width = picture.shape[:2]
    if (width, height) == size:
        return picture
    shrinks = size[0] < width or size[1] < height
    resized = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)
