"""Few pictures that a model is tried on: whose they are stands in `evidence/NOTICE`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.vision.alignment import face_chip
from inference.vision.pictures import Picture

FOLDER: Final = Path(__file__).parent / "evidence"
PLAIN: Final = np.full((640, 640, 3), 128, np.uint8)
"""A grey canvas, on which there is nothing."""


@dataclass(frozen=True)
class Portrait:
    """A picture of one person.

    Attributes:
        file: its name.
        box: left, top, right, bottom of the face, in pixels of the picture.
        landmarks: eyes, nose, corners of the mouth, as seen, left ones first, in pixels of the picture.
    """

    file: str
    box: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]

    def picture(self) -> Picture:
        """UINT8 RGB."""
        return picture(self.file)

    def canvas(self) -> Picture:
        """Return the picture on the detector's canvas, UINT8 [640, 640, 3]; it is smaller and keeps its size."""
        shown = self.picture()
        canvas = np.zeros((640, 640, 3), np.uint8)
        canvas[: shown.shape[0], : shown.shape[1]] = shown
        return canvas

    def chips(self) -> tuple[Picture, Picture]:
        """Return the face as it is, and mirrored and in weaker light: UINT8 [150, 150, 3] each."""
        shown = self.picture()
        size = np.asarray(shown.shape[1::-1], np.float64)
        points = np.asarray(self.landmarks, np.float64) / size
        mirrored = np.asarray([1.0, 0.0]) + points[[1, 0, 2, 4, 3]] * (-1.0, 1.0)
        weaker = np.clip(shown.astype(np.float64) * 0.7 + 10, 0, 255).astype(np.uint8)
        return face_chip(shown, points), face_chip(np.ascontiguousarray(weaker[:, ::-1]), mirrored)


COLLINS: Final = Portrait(
    "collins.jpg",
    (141.2, 57.2, 230.3, 178.6),
    ((163.6, 100.7), (206.7, 103.6), (182.9, 124.7), (163.0, 142.6), (200.2, 144.7)),
)
HOPPER: Final = Portrait(
    "hopper.jpg",
    (119.7, 82.4, 236.0, 225.8),
    ((149.5, 133.9), (206.4, 131.5), (178.6, 160.7), (155.4, 187.5), (202.4, 185.5)),
)
PORTRAITS: Final = (COLLINS, HOPPER)
CAT: Final = "chelsea.jpg"
RECEIPT: Final = "receipt.jpg"


@cache
def picture(file: str) -> NDArray[np.uint8]:
    """Open one of the pictures, UINT8 RGB."""
    with Image.open(FOLDER / file) as opened:
        return np.asarray(opened.convert("RGB"), np.uint8)
