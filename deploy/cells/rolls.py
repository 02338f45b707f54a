"""Rolls of persons: how many photos each has, drawn by chance."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deploy.cells.assumptions import Persons

Rolls: TypeAlias = npt.NDArray[np.int32]
SHARES: Sequence[float] = (10, 50, 90, 99, 99.9)


def draw_rolls(count: int, persons: Persons, generator: np.random.Generator) -> Rolls:
    """Return the photos of each person that are kept at a time: lognormal, cut off at the most."""
    mean = persons.photos_a_day * persons.window_days
    centre = math.log(mean) - persons.spread**2 / 2
    drawn = np.exp(generator.standard_normal(count, dtype=np.float32) * np.float32(persons.spread) + np.float32(centre))
    rolls: Rolls = np.minimum(drawn, persons.most_photos).astype(np.int32)
    return rolls


def distribution(rolls: Rolls) -> Mapping[str, float]:
    """Return the mean, some percentiles, and which share of all photos the largest hundredth of the rolls has."""
    ordered = np.sort(rolls)
    largest = ordered[-max(1, len(ordered) // 100) :]
    percentiles = {f"p{share:g}": float(ordered[int((len(ordered) - 1) * share / 100)]) for share in SHARES}
    share = float(largest.sum(dtype=np.int64) / max(1, ordered.sum(dtype=np.int64)))
    return {"mean": float(ordered.mean()), **percentiles, "share_of_largest_hundredth": share}
