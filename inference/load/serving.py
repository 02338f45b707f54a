"""What serving costs: answers a second through a server, held against the same model with no server around it."""

import asyncio
import statistics
from dataclasses import dataclass

from inference.load.bare import BareLoop
from inference.load.trying import WARM_UP_SECONDS, Trial


@dataclass(frozen=True)
class Served:
    """The two rates, and their ratio.

    Attributes:
        served: Requests a second through the server, the median of all rounds.
        bare: Runs a second without it.
        ratio: The median of the ratios of neighbouring rounds.
        failed: Requests that were not answered.
    """

    served: float
    bare: float
    ratio: float
    failed: int


async def compare(trial: Trial, bare: BareLoop, *, rounds: int, seconds: float) -> Served:
    """Measures both in turn, each round beside its neighbour, so that whatever else the machine does falls on both.

    Args:
        trial: asks the server.
        bare: has as many sessions as the server has instances.
        rounds: pairs.
        seconds: of each half of a pair.
    """
    await trial.closed("warm-up", trial.target.in_flight, WARM_UP_SECONDS)
    await asyncio.to_thread(bare.rate, WARM_UP_SECONDS / 2)
    pairs, failed = [], 0
    for number in range(rounds):
        theirs = await _bare(trial, bare, seconds) if number % 2 else 0.0
        phase = await trial.closed("served", trial.target.in_flight, seconds)
        failed += phase.figures.offered - phase.figures.answered
        pairs.append((phase.figures.rate, theirs or await _bare(trial, bare, seconds)))
    return Served(
        served=statistics.median(ours for ours, _ in pairs),
        bare=statistics.median(theirs for _, theirs in pairs),
        ratio=statistics.median(ours / theirs for ours, theirs in pairs),
        failed=failed,
    )


async def _bare(trial: Trial, bare: BareLoop, seconds: float) -> float:
    trial.begin(f"{trial.model} bare", seconds)
    return await asyncio.to_thread(bare.rate, seconds)
