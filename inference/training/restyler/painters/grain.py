"""Chance for painters, all of it taken from a field of white noise: grounds, grains, and places to begin a stroke."""

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
"""A value a pixel: FP32 [H, W]."""


def blurred(values: Field, sigma: float) -> Field:
    """Blurs with a Gaussian; FP32 [H, W] or [H, W, channels], `sigma` in pixels."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)


def soft(noise: Field, sigma: float) -> Field:
    """Blurs white noise and brings it back to about unit variance.

    Args:
        noise: standard normal FP32 [H, W].
        sigma: of the Gaussian, in pixels; at least 0.7.
    """
    return blurred(noise, sigma) * np.float32(2 * sigma * np.sqrt(np.pi))


def band(noise: Field, sigma: float) -> Field:
    """Noise of one grain size, what lies between blurs of `sigma` and of twice that; about unit variance."""
    narrow, wide = blurred(noise, sigma), blurred(noise, 2 * sigma)
    return (narrow - wide) * np.float32(2 * sigma * np.sqrt(np.pi) / np.sqrt(0.45))


def seeds(noise: Field, distance: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places about `distance` pixels from each other: the summits of the softened noise.

    Returns:
        Rows and columns, from the lowest summit to the highest: the order in which to paint.
    """
    hills = blurred(noise, max(0.7, distance * 0.17))
    reach = max(1, round(distance * 0.5))
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    rows, columns = np.nonzero(hills >= cv2.dilate(hills, around))
    order = np.argsort(hills[rows, columns], kind="stable")
    return rows[order], columns[order]


def nearest(
    shape: tuple[int, ...], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.int32], Field]:
    """Return the seed nearest to each pixel.

    Args:
        shape: height and width; what follows is left out of account.
        rows: of the seeds.
        columns: of the seeds.

    Returns:
        Its number INT32 [H, W] in the order given, and how far it is, in pixels, FP32 [H, W].
    """
    empty = np.ones(shape[:2], np.uint8)
    empty[rows, columns] = 0
    distance, label = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    number_of = np.zeros(int(label.max()) + 1, np.int32)
    number_of[label[rows, columns]] = np.arange(len(rows), dtype=np.int32)
    return number_of[label], distance.astype(np.float32)


def step(low: float, high: float, value: Field) -> Field:
    """Rises smoothly from 0 at `low` to 1 at `high`."""
    part = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return part * part * (3 - 2 * part)
