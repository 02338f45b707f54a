"""What serving costs: answers a second through a server, held against the same model with no server around it."""

import asyncio
import statistics
from dataclasses import dataclass

from inference.load.bare import BareLoop
from inference.load.figures import answers_between
from inference.load.trying import WARM_UP_SECONDS, Trial

ROUND_RUNS = 24
SHORTEST_ROUND_SECONDS, LONGEST_ROUND_SECONDS = 0.5, 1.5
FEWEST_ROUNDS = 4
FILLING_SECONDS, FILLING_RUNS = 0.2, 2
"""Until the server is full, and before anything is counted: so long at least, and so many runs of each instance."""


@dataclass(frozen=True)
class Served:
    """The two rates, and their ratio.

    Attributes:
        served: Requests a second through the server, the median of all rounds.
        bare: Runs a second without it.
        ratio: The median of the ratios of neighbouring rounds.
        quartiles: The lower and the upper quartile of these ratios: far apart, the machine was busy with other things.
        rounds: How many there were.
        failed: Requests that were not answered.
    """

    served: float
    bare: float
    ratio: float
    quartiles: tuple[float, float]
    rounds: int
    failed: int


async def compare(trial: Trial, bare: BareLoop, *, seconds: float) -> Served:
    """Measures both in turn, each round beside its neighbour, so that whatever else the machine does falls on both.

    A shared machine changes its speed within a second or two, so rounds are as short as the model lets them be.

    Args:
        trial: asks the server.
        bare: has as many sessions as the server has instances.
        seconds: of asking the server, all rounds together.
    """
    await trial.closed("warm-up", trial.target.in_flight, WARM_UP_SECONDS)
    rate = await asyncio.to_thread(bare.rate, WARM_UP_SECONDS / 2)
    length = min(max(ROUND_RUNS / rate, SHORTEST_ROUND_SECONDS), LONGEST_ROUND_SECONDS)
    filling = max(FILLING_SECONDS, FILLING_RUNS * bare.sessions / rate)
    pairs, failed = [], 0
    for number in range(max(FEWEST_ROUNDS, round(seconds / length))):
        theirs = await _bare(trial, bare, length) if number % 2 else 0.0
        phase = await trial.closed("served", trial.target.in_flight, filling + length)
        failed += phase.figures.offered - phase.figures.answered
        ours = answers_between(phase.run, filling, filling + length)
        pairs.append((ours, theirs or await _bare(trial, bare, length)))
    low, middle, high = statistics.quantiles((ours / theirs for ours, theirs in pairs), n=4, method="inclusive")
    return Served(
        served=statistics.median(ours for ours, _ in pairs),
        bare=statistics.median(theirs for _, theirs in pairs),
        ratio=middle,
        quartiles=(low, high),
        rounds=len(pairs),
        failed=failed,
    )


async def _bare(trial: Trial, bare: BareLoop, seconds: float) -> float:
    trial.begin(f"{trial.model} bare", seconds)
    return await asyncio.to_thread(bare.rate, seconds)
