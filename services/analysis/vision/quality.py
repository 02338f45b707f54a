"""Quality measures: sharpness, exposure and a perceptual hash. Pure functions of arrays."""

import math
from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Gray: TypeAlias = NDArray[np.uint8]
_Wide: TypeAlias = NDArray[np.int16]
_Way: TypeAlias = Callable[[_Wide, _Wide], _Wide]

SHARPNESS_SIDE: Final = 512
"""Long side in pixels at which sharpness is measured, so that it does not depend on the resolution."""
HASH_SIDE: Final = 32
_HASH_FREQUENCIES: Final = 8
_EDGES: Final = 0.985
_WEAKEST_EDGE: Final = 32
_FEWEST_EDGES: Final = 10
_SAMPLE_STEP: Final = 7
_BLUR_SIGMA: Final = 1.6
# Edges that lose 5 % by another blur are as blurred as can be told. Crisp photos lose 50 % (score 0.68); those blurred
# by 0.3 % of their long side lose 25 % (0.20), by 0.6 % lose 10 % (0.01).
_BLURRED: Final = 0.05
_SPREAD: Final = 0.42
# How high an edge is across, down, and along both diagonals, out of its derivatives along x and y.
_WAYS: Final[tuple[_Way, ...]] = (
    lambda x, _: np.abs(x),
    lambda _, y: np.abs(y),
    lambda x, y: np.abs(x + y) >> 1,
    lambda x, y: np.abs(x - y) >> 1,
)


def sharpness(gray: Gray) -> float:
    """Says how sharp the sharpest parts of a picture are.

    A blur takes much from a crisp edge and little from a soft one (Crete et al., The Blur Effect, 2007). Looking at
    the strongest edges alone makes the answer independent of how much texture there is, dividing makes it independent
    of the exposure, and taking the worst of four directions finds motion, which spares the edges along its way.

    Args:
        gray: [height, width], long side `SHARPNESS_SIDE`, or less if the picture is smaller.

    Returns:
        0 (blurred, or nothing in it has an edge) to 1 (crisp).
    """
    before, after = _derivatives(gray), _derivatives(np.asarray(cv2.GaussianBlur(gray, (0, 0), _BLUR_SIGMA), np.uint8))
    loss = min(_loss(before, after, way) for way in _WAYS)
    return 1.0 - math.exp(-((max(loss - _BLURRED, 0.0) / _SPREAD) ** 2))


def exposure(gray: Gray) -> float:
    """Says how well a picture is exposed: bright parts bright enough, dark parts dark enough, little clipped.

    Args:
        gray: [height, width] of any size; a thumbnail is enough.

    Returns:
        0 (black or burnt out) to 1.
    """
    shares = np.bincount(gray.ravel(), minlength=256) / gray.size
    below = np.cumsum(shares)
    dark_part, bright_part = (int(np.searchsorted(below, share)) / 255 for share in (0.1, 0.9))
    lit = _ramp(bright_part, 0.1, 0.6)
    shaded = _ramp(dark_part, 0.92, 0.6)
    black, burnt = float(shares[:8].sum()), float(shares[250:].sum())
    return lit * shaded * _ramp(black, 0.95, 0.35) * _ramp(burnt, 0.6, 0.1)


def perceptual_hash(gray: Gray) -> int:
    """Hashes how a picture looks: the signs of its low frequencies (DCT) against their median.

    Args:
        gray: [32, 32].

    Returns:
        64 bits; pictures that look alike differ in few of them.
    """
    low = cv2.dct(gray.astype(np.float32))[:_HASH_FREQUENCIES, :_HASH_FREQUENCIES].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def _derivatives(gray: Gray) -> tuple[_Wide, _Wide]:
    """Return the derivatives along x and y in every other row, flat: half of the edges say as much as all."""
    along_x = np.asarray(cv2.Sobel(gray, cv2.CV_16S, 1, 0, ksize=3), np.int16)
    along_y = np.asarray(cv2.Sobel(gray, cv2.CV_16S, 0, 1, ksize=3), np.int16)
    return along_x[::2].ravel(), along_y[::2].ravel()


def _loss(before: tuple[_Wide, _Wide], after: tuple[_Wide, _Wide], way: _Way) -> float:
    """Return the share of the strongest edges' height in a direction that a blur took, 0..1; 0 without edges."""
    height = way(*before)
    strongest = np.flatnonzero(height >= max(_height_of_most(height), _WEAKEST_EDGE))
    if strongest.size < _FEWEST_EDGES:
        return 0.0
    left = way(after[0][strongest], after[1][strongest])
    return 1.0 - float(left.sum(dtype=np.int64)) / float(height[strongest].sum(dtype=np.int64))


def _height_of_most(height: _Wide) -> int:
    """Return the height that the share `_EDGES` of the pixels stays below, as a sample of them tells."""
    sample = height[::_SAMPLE_STEP]
    return int(np.searchsorted(np.bincount(sample).cumsum(), _EDGES * (sample.size - 1), side="right"))


def _ramp(value: float, nothing: float, everything: float) -> float:
    """Rises smoothly from 0 at `nothing` to 1 at `everything`; either may be the larger one."""
    share = min(max((value - nothing) / (everything - nothing), 0.0), 1.0)
    return share * share * (3 - 2 * share)
