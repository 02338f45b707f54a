"""Photos as painters see them: light, colour and contours, as FP32 between 0 and 1."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters.grain import Field, blurred, step

Colours = NDArray[np.float32]
"""RGB between 0 and 1: FP32 [H, W, 3]."""


def colours(photo: NDArray[np.uint8]) -> Colours:
    """UINT8 RGB to FP32 between 0 and 1."""
    return photo.astype(np.float32) / np.float32(255)


def pixels(painting: Colours) -> NDArray[np.uint8]:
    """FP32 between 0 and 1 to UINT8 RGB; what lies outside is cut."""
    return np.asarray(np.rint(np.clip(painting, 0, 1) * 255), np.uint8)


def lightness(picture: Colours) -> Field:
    """Luma by ITU-R BT.601, FP32 [H, W]."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def balanced(light: Field, strength: float = 2.0) -> Field:
    """Lifts what is lost in shadow and glare (CLAHE), so that a drawing has its full range everywhere."""
    grey = np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)
    wide = cv2.createCLAHE(clipLimit=strength, tileGridSize=(3, 3)).apply(grey)
    return np.asarray(wide, np.float32) / np.float32(255)


def flattened(picture: Colours, rounds: int = 3, reach: float = 5.0, contrast: float = 0.12) -> Colours:
    """Smooths surfaces and keeps their borders: repeated bilateral filters."""
    for _ in range(rounds):
        picture = np.asarray(cv2.bilateralFilter(picture, 9, contrast, reach), np.float32)
    return picture


def saturated(picture: Colours, factor: float) -> Colours:
    """Move colours away from their grey by a factor."""
    grey = lightness(picture)[..., None]
    return np.clip(grey + (picture - grey) * np.float32(factor), 0, 1)


def contours(light: Field, sigma: float, sharpness: float = 18.0, edge: float = 0.02) -> Field:
    """Lines where light falls away, by an extended difference of Gaussians (Winnemoeller et al. 2012); 1 is a line."""
    near, far = blurred(light, sigma), blurred(light, 1.6 * sigma)
    return step(0.0, 1.0, (far - near - np.float32(edge)) * np.float32(sharpness))


def mixed(ground: Colours, paint: Colours, cover: Field) -> Colours:
    """Lays paint on a ground where `cover` is 1, and leaves the ground where it is 0."""
    return ground + (paint - ground) * cover[..., None]
