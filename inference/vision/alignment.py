"""Face alignment: a face turned upright and cut out, eyes, nose and mouth where dlib has them."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Picture

CHIP_SIDE: Final = 150
# Where dlib's own five-point cutting (150 pixels, a quarter of padding) puts the detector's five points, in pixels.
TEMPLATE: Final = ((47.5, 46.6), (100.5, 46.6), (74.0, 76.6), (50.4, 103.0), (97.6, 103.0))
_STRONG_REDUCTION: Final = 0.5

Points = NDArray[np.float64]


def similarity(source: Points, target: Points) -> Points:
    """Find the turn, scale and shift that bring points closest to others (Umeyama 1991).

    Args:
        source: [points, 2] x, y.
        target: [points, 2] x, y.

    Returns:
        The matrix [2, 3] that takes a source point to the target; a mirror image is never used.
    """
    middle_source, middle_target = source.mean(0), target.mean(0)
    centred_source, centred_target = source - middle_source, target - middle_target
    left, spread, right = np.linalg.svd(centred_target.T @ centred_source / len(source))
    signs = np.asarray([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    turn = left @ np.diag(signs) @ right
    scale = (spread * signs).sum() / max(centred_source.var(0).sum(), 1e-12)
    return np.column_stack([scale * turn, middle_target - scale * turn @ middle_source])


def face_chip(picture: Picture, landmarks: Points) -> Picture:
    """Cuts an aligned face out of a picture.

    Args:
        picture: UINT8 RGB [height, width, 3]; the larger, the better the chip.
        landmarks: [5, 2] relative to the picture, in the order of `Face.landmarks`.

    Returns:
        UINT8 RGB [150, 150, 3].
    """
    height, width = picture.shape[:2]
    points = np.asarray(landmarks, np.float64) * (width, height)
    template = np.asarray(TEMPLATE)
    matrix = similarity(points, template)
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < _STRONG_REDUCTION:
        picture, points = _reduce_around(picture, points, scale)
        matrix = similarity(points, template)
    chip = cv2.warpAffine(
        picture, matrix, (CHIP_SIDE, CHIP_SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(chip, np.uint8)


def _reduce_around(picture: Picture, points: Points, scale: float) -> tuple[Picture, Points]:
    """Shrinks the part of the picture around a large face first: warping alone would skip pixels."""
    reach = CHIP_SIDE / scale
    low = np.maximum(np.floor(points.mean(0) - reach), 0).astype(int)
    high = np.minimum(np.ceil(points.mean(0) + reach), picture.shape[1::-1]).astype(int)
    if np.any(high <= low):
        return picture, points
    part = picture[low[1] : high[1], low[0] : high[0]]
    size = np.maximum(np.round((high - low) * scale), 1).astype(int)
    reduced = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8), (points - low) * (size / (high - low))
