"""Trial of one attack: quiet and hostile rounds in turn, and the memory of the service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from tests.integration.ingest.harness import Phone
from tests.load.neighbours.attacks import Attack, Target
from tests.load.neighbours.neighbour import Waits, live, percentile

GOAL = 2.0
"""How many times its quiet 99th percentile a neighbour may wait beside an attack."""


@dataclass(frozen=True)
class Outcome:
    """What an attack did.

    Attributes:
        reads, uploads: The neighbour's 99th percentile beside the attack, by that of quiet rounds.
        grown_mib: By how much the service's memory grew at most.
    """

    attack: str
    reads: float
    uploads: float
    grown_mib: float

    def __str__(self) -> str:
        """Return a line for people."""
        return (
            f"{self.attack}: p99 of reads {self.reads:.2f} and of uploads {self.uploads:.2f} times the quiet one, "
            f"memory grew by {self.grown_mib:.0f} MiB"
        )


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
        """Run rounds until the goal is reached or there have been enough; ratios are medians over rounds."""
        before, peak = self._memory(), 0.0
        await live(self.neighbour, self.warm_seconds)
        ratios: list[tuple[float, float]] = []
        while len(ratios) < self.rounds:
            quiet = await live(self.neighbour, self.seconds)
            async with Attack(target, log):
                await live(self.neighbour, self.warm_seconds)
                hostile = await live(self.neighbour, self.seconds)
                peak = max(peak, self._memory())
            ratios.append((_ratio(hostile, quiet, _reads), _ratio(hostile, quiet, _uploads)))
            if len(ratios) >= self.rounds / 2 and _both(ratios):
                break
        reads, uploads = (median(each) for each in zip(*ratios, strict=True))
        return Outcome(target.kind, reads, uploads, peak - before)

    def _memory(self) -> float:
        return float(self.process.memory_info().rss) / 2**20


def _both(ratios: list[tuple[float, float]]) -> bool:
    return all(median(each) < GOAL for each in zip(*ratios, strict=True))


def _ratio(hostile: Waits, quiet: Waits, of: Callable[[Waits], list[float]]) -> float:
    return percentile(of(hostile), 0.99) / percentile(of(quiet), 0.99)


def _reads(waits: Waits) -> list[float]:
    return waits.reads


def _uploads(waits: Waits) -> list[float]:
    return waits.uploads
