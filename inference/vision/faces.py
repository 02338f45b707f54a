"""Face detector's candidates become faces."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Letterbox

SHOW_SCORE: Final = 0.5
EMBED_SCORE: Final = 0.65
EMBED_SIDE_PIXELS: Final = 40
OVERLAP: Final = 0.3

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Face:
    """A face in a picture.

    Attributes:
        box: left, top, width, height, each relative (0..1) to the upright picture.
        score: how sure the detector is, 0..1.
        landmarks: [5, 2] x, y relative to the picture: left eye, right eye, nose, left and right corner of the
            mouth, as seen in the picture; a point may lie outside it.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float64]


def decode_faces(
    boxes: Floats, scores: Floats, landmarks: Floats, letterbox: Letterbox, *, threshold: float = SHOW_SCORE
) -> tuple[Face, ...]:
    """Turn the detector's answer for one picture into faces, the surest first.

    Args:
        boxes: [candidates, 4] left, top, right, bottom in pixels of the canvas.
        scores: [candidates], in falling order.
        landmarks: [candidates, 5, 2] x, y in pixels of the canvas.
        letterbox: how the picture lies on the canvas.
        threshold: the lowest score to keep.
    """
    sure = scores >= threshold
    inside = _clip(boxes[sure], letterbox)
    keep = distinct(inside)
    size = np.asarray([letterbox.width, letterbox.height], np.float64)
    corners = inside[keep].reshape(-1, 2, 2) / size
    points = landmarks[sure][keep] / size
    return tuple(
        Face(_box(corner), float(score), point)
        for corner, score, point in zip(corners, scores[sure][keep], points, strict=True)
        if np.all(corner[1] > corner[0])
    )


def distinct(boxes: Floats) -> NDArray[np.intp]:
    """Keep each box that does not overlap a better one.

    Args:
        boxes: [candidates, 4] left, top, right, bottom, the best first.

    Returns:
        The rows kept: no two of them share more than `OVERLAP` of what they cover together.
    """
    overlaps = _overlaps(boxes) > OVERLAP
    keep = np.ones(len(boxes), bool)
    for row in range(len(boxes)):
        if keep[row]:
            keep[row + 1 :] &= ~overlaps[row, row + 1 :]
    return np.flatnonzero(keep)


def _overlaps(boxes: Floats) -> NDArray[np.float64]:
    """Return intersection over union of each box with each other one."""
    low, high = boxes[:, :2].astype(np.float64), boxes[:, 2:].astype(np.float64)
    area = np.prod(high - low, axis=1)
    shared = np.minimum(high[:, None], high) - np.maximum(low[:, None], low)
    common = np.prod(np.clip(shared, 0, None), axis=2)
    overlaps: NDArray[np.float64] = common / np.maximum(area[:, None] + area - common, 1e-9)
    return overlaps


def _clip(boxes: Floats, letterbox: Letterbox) -> Floats:
    sides = np.asarray([letterbox.width, letterbox.height] * 2, np.float32)
    return np.clip(boxes, 0, sides)


def _box(corners: NDArray[np.float64]) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = corners.tolist()
    return left, top, right - left, bottom - top
