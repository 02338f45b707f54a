"""What serving costs: answers a second through a server, held against the same model with no server around it."""

import asyncio
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from inference.load.bare import BareLoop
from inference.load.figures import answers_between
from inference.load.trying import WARM_UP_SECONDS, Trial

ROUND_RUNS = 24
SHORTEST_ROUND_SECONDS, LONGEST_ROUND_SECONDS = 0.5, 1.5
FEWEST_ROUNDS = 8
FILLING_SECONDS, FILLING_RUNS = 0.2, 2
"""Until the server is full, and before anything is counted: so long at least, and so many runs of each instance."""
PRECISION = 0.03
_MEDIAN_95 = 1.96 * 1.2533 / 1.349
"""Half a median's 95 % interval for quartiles a unit apart and one value: a median of normal values scatters 1.2533
times as much as their mean, and their quartiles are 1.349 standard deviations apart."""


@dataclass(frozen=True)
class Served:
    """The two rates, and their ratio.

    Attributes:
        served: Requests a second through the server, the median of all rounds.
        bare: Runs a second without it.
        ratio: The median of each round's ratio to its two neighbours without the server.
        uncertainty: Half the width of the median's 95 % interval, from the rounds' scatter.
        rounds: How many there were.
        failed: Requests that were not answered.
    """

    served: float
    bare: float
    ratio: float
    uncertainty: float
    rounds: int
    failed: int


async def compare(trial: Trial, bare: BareLoop, *, seconds: float) -> Served:
    """Measures both in turn, until the ratio is known well enough.

    A shared machine changes its speed within a second or two, so rounds are as short as the model lets them be, and
    each is held against those without the server before and after it.

    Args:
        trial: asks the server.
        bare: has as many sessions as the server has instances.
        seconds: of asking the server, all rounds together, at the most.
    """
    await trial.closed("warm-up", trial.target.in_flight, WARM_UP_SECONDS)
    rate = await asyncio.to_thread(bare.rate, WARM_UP_SECONDS / 2)
    length = min(max(ROUND_RUNS / rate, SHORTEST_ROUND_SECONDS), LONGEST_ROUND_SECONDS)
    filling = max(FILLING_SECONDS, FILLING_RUNS * bare.sessions / rate)
    most = max(FEWEST_ROUNDS, round(seconds / length))
    ours, theirs, ratios, failed = list[float](), [await _bare(trial, bare, length)], list[float](), 0
    while len(ratios) < FEWEST_ROUNDS or (_uncertainty(ratios) > PRECISION and len(ratios) < most):
        phase = await trial.closed("served", trial.target.in_flight, filling + length)
        failed += phase.figures.offered - phase.figures.answered
        ours.append(answers_between(phase.run, filling, filling + length))
        theirs.append(await _bare(trial, bare, length))
        ratios.append(ours[-1] / statistics.mean(theirs[-2:]))
    return Served(
        served=statistics.median(ours),
        bare=statistics.median(theirs),
        ratio=statistics.median(ratios),
        uncertainty=_uncertainty(ratios),
        rounds=len(ratios),
        failed=failed,
    )


def _uncertainty(ratios: Sequence[float]) -> float:
    """Half the median's 95 % interval, from the quartiles: a round that was disturbed counts no more than another."""
    low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return _MEDIAN_95 * (high - low) / math.sqrt(len(ratios))


async def _bare(trial: Trial, bare: BareLoop, seconds: float) -> float:
    trial.begin(f"{trial.model} bare", seconds)
    return await asyncio.to_thread(bare.rate, seconds)
