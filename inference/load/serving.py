"""Serving cost: answers a second through a server, held against the same model with no server around it."""

import asyncio
from dataclasses import dataclass

from inference.load.bare import BareLoop
from inference.load.figures import answers_between
from inference.load.trials import WARM_UP_SECONDS, Trial
from inference.load.turns import Compared, in_turn

ROUND_RUNS = 24
SHORTEST_ROUND_SECONDS, LONGEST_ROUND_SECONDS = 0.5, 1.5
FEWEST_ROUNDS = 8
FILLING_SECONDS, FILLING_RUNS = 0.2, 2
"""Until the server is full, and before anything is counted: so long at least, and so many runs of each instance."""


@dataclass(frozen=True)
class Served:
    """Requests a second through the server and runs a second without it, and how many requests were not answered."""

    rates: Compared
    failed: int


async def compare(trial: Trial, bare: BareLoop, *, seconds: float) -> Served:
    """Measures both in turn, until the ratio is known well enough.

    Rounds are as short as the model lets them be.

    Args:
        trial: asks the server.
        bare: has as many sessions as the server has instances.
        seconds: of asking the server, all rounds together, at the most.
    """
    await trial.closed("warm-up", trial.target.in_flight, WARM_UP_SECONDS)
    rate = await asyncio.to_thread(bare.rate, WARM_UP_SECONDS / 2)
    length = min(max(ROUND_RUNS / rate, SHORTEST_ROUND_SECONDS), LONGEST_ROUND_SECONDS)
    filling = max(FILLING_SECONDS, FILLING_RUNS * bare.sessions / rate)
    failed = 0

    async def served() -> float:
        nonlocal failed
        phase = await trial.closed("served", trial.target.in_flight, filling + length)
        failed += phase.figures.offered - phase.figures.answered
        return answers_between(phase.run, filling, filling + length)

    async def alone() -> float:
        trial.begin(f"{trial.model} bare", length)
        return await asyncio.to_thread(bare.rate, length)

    most = max(FEWEST_ROUNDS, round(seconds / length))
    return Served(await in_turn(served, alone, fewest=FEWEST_ROUNDS, most=most), failed)
