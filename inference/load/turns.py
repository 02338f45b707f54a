"""Two rates measured in turn, until their ratio is known.

A shared machine changes its speed within seconds, so no rate of it means anything by itself: each is held against the
other's, a moment before and a moment after.
"""

import math
import statistics
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

PRECISION = 0.03
"""How well a ratio has to be known."""

_MEDIAN_95 = 1.96 * 1.2533 / 1.349
"""Half a median's 95 % interval for quartiles a unit apart and one value: a median of normal values scatters 1.2533
times as much as their mean, and their quartiles are 1.349 standard deviations apart."""

Round = Callable[[], Awaitable[float]]
"""Measures one round; returns a rate."""


@dataclass(frozen=True)
class Compared:
    """A rate, the limit of it, and their ratio.

    Attributes:
        value: The rate, the median of all rounds.
        limit: That of what it is held against.
        ratio: The median of each round's ratio to its two neighbours.
        uncertainty: Half the width of the ratio's 95 % interval, from the rounds' scatter.
        rounds: How many there were.
    """

    value: float
    limit: float
    ratio: float
    uncertainty: float
    rounds: int


async def in_turn(ours: Round, theirs: Round, *, fewest: int, most: int) -> Compared:
    """Measures both in turn, the limit first and last, until the ratio is known to `PRECISION`.

    Args:
        ours: what is measured; both are warm.
        theirs: the limit that it is held against, in the same unit.
        fewest: rounds, two at least.
        most: rounds.
    """
    values, limits, ratios = list[float](), [await theirs()], list[float]()
    while len(ratios) < fewest or (uncertainty(ratios) > PRECISION and len(ratios) < most):
        values.append(await ours())
        limits.append(await theirs())
        ratios.append(values[-1] / statistics.mean(limits[-2:]))
    return Compared(
        statistics.median(values),
        statistics.median(limits),
        statistics.median(ratios),
        uncertainty(ratios),
        len(ratios),
    )


def uncertainty(ratios: Sequence[float]) -> float:
    """Half the median's 95 % interval, from the quartiles: a round that was disturbed counts no more than another."""
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return _MEDIAN_95 * (high - low) / math.sqrt(len(ratios))
