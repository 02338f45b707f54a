"""Trial of one attack: rounds beside it and beside as much work elsewhere in turn, and the memory of the service."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import psutil

from tests.integration.ingest.harness import Phone
from tests.load.neighbours.attacks import ELSEWHERE, Attack, Target
from tests.load.neighbours.neighbour import Waits, live, percentile

GOAL = 2.0
"""How many times the 99th percentile without it a neighbour may wait beside an attack."""


@dataclass(frozen=True)
class Outcome:
    """What an attack did.

    Attributes:
        reads, uploads: The neighbour's 99th percentile beside the attack, by that of rounds without it.
        begun: How often the attack was tried, in all rounds.
        grown_mib: By how much the service's memory grew at most.
    """

    attack: str
    reads: float
    uploads: float
    begun: int
    grown_mib: float

    def __str__(self) -> str:
        """Return a line for people."""
        return (
            f"{self.attack}: p99 of reads {self.reads:.2f} and of uploads {self.uploads:.2f} times the quiet one, "
            f"{self.begun} tries, memory grew by {self.grown_mib:.0f} MiB"
        )


class Rounds(list[Waits]):
    """What a neighbour waited in the rounds of one kind."""

    def times(self, others: Rounds) -> tuple[float, float]:
        """Return how many times that of other rounds the 99th percentile of reads is, and that of uploads."""
        return self._reads() / others._reads(), self._uploads() / others._uploads()

    def _reads(self) -> float:
        return median(percentile(waits.reads, 0.99) for waits in self)

    def _uploads(self) -> float:
        return median(percentile(waits.uploads, 0.99) for waits in self)


@dataclass(frozen=True)
class Trial:
    """How an attack is tried.

    Attributes:
        neighbour: Whose calls are measured.
        process: Of the service.
        rounds: Of each kind at most.
        seconds: Of a round.
        warm_seconds: How long an attack goes on before the neighbour's calls count.
    """

    neighbour: Phone
    process: psutil.Process
    rounds: int = 6
    seconds: float = 6.0
    warm_seconds: float = 2.0

    async def run(self, target: Target, log: Path) -> Outcome:
        """Run rounds until the goal is reached or there have been enough.

        The median over the rounds of each kind counts: once in a while the machine stands still, and says nothing of
        either.
        """
        before, peak, begun = self._memory(), 0.0, 0
        await live(self.neighbour, self.warm_seconds)
        beside, without = Rounds(), Rounds()
        while len(without) < self.rounds:
            async with Attack(target, log) as attack:
                await attack.begins()
                hostile, share = await self._beside(attack)
                begun, peak = begun + attack.begun, max(peak, self._memory())
            async with Attack(replace(target, kind=ELSEWHERE, size=round(100 * share)), log) as idle:
                quiet, _ = await self._beside(idle)
            beside.append(hostile)
            without.append(quiet)
            if len(without) >= self.rounds / 2 and max(beside.times(without)) < GOAL:
                break
        return Outcome(target.kind, *beside.times(without), begun, peak - before)

    async def _beside(self, attack: Attack) -> tuple[Waits, float]:
        """Return the neighbour's waits, and the share of a core that the attack took meanwhile."""
        await live(self.neighbour, self.warm_seconds)
        started, taken = time.monotonic(), attack.cpu_seconds()
        waits = await live(self.neighbour, self.seconds)
        return waits, (attack.cpu_seconds() - taken) / (time.monotonic() - started)

    def _memory(self) -> float:
        return float(self.process.memory_info().rss) / 2**20
