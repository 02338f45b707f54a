"""Evaluation of the shipped network on held-out photos: whether it sets strokes as its teachers do.

Each figure is a distance between two sets of pictures of one style, averaged over photos: the network's painting from
the teacher's, beside two yardsticks, the teacher's own painting by other chance (as near as can be asked for) and the
untouched photo (as far as doing nothing). Besides, how far the network sets the very strokes that its teacher would
set with the same noise: the correlation of what is finer than 4 pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.served import Studio, chance
from inference.training.restyler.styles import STYLES

Pixels = NDArray[np.uint8]
Statistic = NDArray[np.float64]
_DIRECTIONS: Final = 12
_BANDS: Final = np.geomspace(1 / 128, 0.5, 9)
_FINE: Final = 4.0


@dataclass(frozen=True)
class Agreement:
    """How near the network, other chance and the untouched photo come to a teacher.

    Attributes:
        style: the style.
        statistic: `directions`, `spectrum`, `colours`, or `same strokes` (a correlation: higher is nearer).
        network: the network's figure.
        other_chance: that of the teacher with another noise.
        photo: that of the photo as it is.
    """

    style: str
    statistic: str
    network: float
    other_chance: float
    photo: float


def directions(picture: Pixels) -> Statistic:
    """Return the share of edge energy in each of 12 directions, [12]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    right, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    energy = (right**2 + down**2).ravel()
    sector = (np.arctan2(down, right).ravel() % np.pi / np.pi * _DIRECTIONS).astype(int) % _DIRECTIONS
    shares = np.bincount(sector, energy, _DIRECTIONS)
    return np.asarray(shares / max(float(shares.sum()), 1e-9), np.float64)


def spectrum(picture: Pixels) -> Statistic:
    """Return the power of lightness in 8 rings of frequency, from 1/128 to 1/2 a pixel, in decades, [8]."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64) / 255
    window = np.outer(np.hanning(grey.shape[0]), np.hanning(grey.shape[1]))
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    down, across = np.fft.fftfreq(grey.shape[0])[:, None], np.fft.fftfreq(grey.shape[1])[None]
    ring = np.digitize(np.hypot(down, across), _BANDS) - 1
    means = [power[ring == index].mean() for index in range(len(_BANDS) - 1)]
    return np.asarray(np.log10(np.asarray(means) / grey.size + 1e-12), np.float64)


def colours(picture: Pixels) -> Statistic:
    """Mean and spread of lightness and both colour axes (CIE L*a*b*, L* 0..100), [6]."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return np.asarray(np.concatenate([lab.mean(0), lab.std(0)]), np.float64)


def same_strokes(one: Pixels, other: Pixels) -> float:
    """Return the correlation of two pictures in what is finer than about 4 pixels, -1..1."""
    first, second = (_fine(picture) for picture in (one, other))
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum() + 1e-12))


def _fine(picture: Pixels) -> NDArray[np.float64]:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), _FINE), np.float64)


def measure(studio: Studio, photos: Sequence[Pixels]) -> Iterator[Agreement]:
    """Yield four figures for each style.

    Args:
        studio: the network, as served.
        photos: held-out photos, UINT8 RGB with sides that are multiples of 8.
    """
    for style in STYLES:
        yield from _of_style(studio, photos, style)


def _of_style(studio: Studio, photos: Sequence[Pixels], style: str) -> Iterator[Agreement]:
    rows = [_compared(studio, photo, style, seed) for seed, photo in enumerate(photos)]
    for index, statistic in enumerate(("directions", "spectrum", "colours", "same strokes")):
        network, other, untouched = np.mean([row[index] for row in rows], 0)
        yield Agreement(style, statistic, float(network), float(other), float(untouched))


def _compared(studio: Studio, photo: Pixels, style: str, seed: int) -> list[list[float]]:
    """Distances from the teacher, [4 statistics][network, other chance, photo]."""
    teacher = STYLES[style](photo, chance(seed, photo.shape))
    other = STYLES[style](photo, chance(seed + 1_000_000, photo.shape))
    compared = (studio.paint(photo, style, seed=seed), other, photo)
    return [
        *([_distance(of(picture), of(teacher)) for picture in compared] for of in (directions, spectrum, colours)),
        [same_strokes(picture, teacher) for picture in compared],
    ]


def _distance(one: Statistic, other: Statistic) -> float:
    return float(np.abs(one - other).sum() / 2 if abs(one.sum() - 1) < 1e-6 else np.abs(one - other).mean())
