"""Canvas: the way between the bytes of a picture and the numbers that networks compute with."""

import numpy as np
from numpy.typing import NDArray

from .request import Array, Picture


def to_signal(picture: Picture) -> Array:
    """Make a batch of one out of a picture.

    Args:
        picture: UINT8 [height, width, 3].

    Returns:
        FP32 [1, 3, height, width], -1..1.
    """
    # A view that is turned stays turned in a copy, and products of it are computed without BLAS, ten times slower.
    signal: Array = picture.transpose(2, 0, 1)[None].astype(np.float32, order="C")
    signal /= np.float32(127.5)
    signal -= np.float32(1)
    return signal


def to_picture(signal: Array) -> Picture:
    """Make a picture out of a batch of one, rounded to the nearest and clamped.

    Args:
        signal: FP32 [1, 3, height, width]; what is outside of -1..1 is cut off.

    Returns:
        UINT8 [height, width, 3].
    """
    levels = np.rint((np.clip(signal[0], -1, 1) + np.float32(1)) * np.float32(127.5))
    picture: Picture = np.ascontiguousarray(levels.astype(np.uint8).transpose(1, 2, 0))
    return picture


def mirrored(signal: Array, *, height: int, width: int) -> Array:
    """Mirrors the right and the lower edge of a signal [1, C, H, W] until it has a size, as often as it takes."""
    below, beside = height - signal.shape[-2], width - signal.shape[-1]
    return np.pad(signal, ((0, 0), (0, 0), (0, below), (0, beside)), mode="symmetric")


def cropped(signal: Array, *, height: int, width: int) -> Array:
    """Cuts off what `mirrored` has added."""
    return signal[..., :height, :width]


def resized(signal: Array, *, height: int, width: int) -> Array:
    """Scales a signal [1, C, H, W] by triangles as wide as a source pixel or a target pixel, whichever is wider."""
    down = _weights(signal.shape[-2], height)
    across = _weights(signal.shape[-1], width)
    scaled: Array = down @ signal @ across.T
    return scaled


def _weights(source: int, target: int) -> NDArray[np.float32]:
    """Return [target, source], each row summing to 1."""
    scale = source / target
    reach = max(scale, 1.0)
    centres = (np.arange(target) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(source)[None] - centres[:, None]) / reach
    weights = np.maximum(0.0, 1.0 - distance)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)
