"""Arrival process: when requests are due, in seconds from the beginning, in rising order."""

from collections.abc import Iterator

import numpy as np


def poisson(rate: float, seconds: float, *, seed: int) -> Iterator[float]:
    """Yield the times of a Poisson process: callers who know nothing of each other.

    Args:
        rate: requests a second, on average.
        seconds: how long.
        seed: the same seed gives the same times.
    """
    random = np.random.default_rng(seed)
    due = 0.0
    while (due := due + float(random.exponential(1.0 / rate))) < seconds:
        yield due


def step(base: float, factor: float, *, before: float, during: float, after: float, seed: int) -> Iterator[float]:
    """Yield the times of a Poisson process whose rate is a multiple of itself for a while.

    Args:
        base: requests a second before and after.
        factor: how many times as many in between.
        before: seconds at the base rate.
        during: seconds at the raised rate.
        after: seconds at the base rate again.
        seed: the same seed gives the same times.
    """
    starts = (0.0, before, before + during)
    phases = ((base, before), (base * factor, during), (base, after))
    for number, (start, (rate, seconds)) in enumerate(zip(starts, phases, strict=True)):
        for due in poisson(rate, seconds, seed=seed + number):
            yield start + due
