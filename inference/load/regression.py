"""Linear regression of samples in time: whether something grows, and how far the slope can be believed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

BLOCKS = 24
_FEWEST = 4


@dataclass(frozen=True)
class Slope:
    """Growth for each unit of time, and the interval that holds the true one with the confidence asked for."""

    value: float
    low: float
    high: float


def slope(times: Sequence[float], values: Sequence[float], *, confidence: float = 0.95) -> Slope:
    """Fits a line by least squares.

    Neighbouring samples of a process's memory are nearly the same, which would make the interval far too narrow; so
    means of blocks are fitted, between which little is left of that.

    Args:
        times: in rising order.
        values: as many.
        confidence: of the interval, two-sided.

    Raises:
        ValueError: there are fewer than four samples.
    """
    if len(times) < _FEWEST:
        raise ValueError(f"{len(times)} samples tell nothing of growth; sample longer or more often")
    blocks = min(BLOCKS, len(times))
    x = np.array([part.mean() for part in np.array_split(np.asarray(times, np.float64), blocks)])
    y = np.array([part.mean() for part in np.array_split(np.asarray(values, np.float64), blocks)])
    spread = float(np.sum((x - x.mean()) ** 2))
    value = float(np.sum((x - x.mean()) * (y - y.mean()))) / spread
    residual = float(np.sum((y - y.mean() - value * (x - x.mean())) ** 2))
    margin = student_t(0.5 + confidence / 2, blocks - 2) * math.sqrt(residual / (blocks - 2) / spread)
    return Slope(value, value - margin, value + margin)


def student_t(share: float, freedom: int) -> float:
    """Return a quantile of Student's distribution (Abramowitz and Stegun 26.7.5; 1 % off at two degrees or better).

    Args:
        share: 0..1.
        freedom: degrees of freedom, two or more.
    """
    z = NormalDist().inv_cdf(share)
    terms = (
        z,
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(sum(term / freedom**power for power, term in enumerate(terms)))
