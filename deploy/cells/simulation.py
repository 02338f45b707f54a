"""Simulation: persons by chance, cells for them, and what follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deploy.cells.assumptions import Assumptions
from deploy.cells.costs import costs
from deploy.cells.events import Loss, Rebalancing, loss_of, rebalance
from deploy.cells.homing import draw_tags, propose
from deploy.cells.limits import Limit, limits
from deploy.cells.loads import Load, load_of
from deploy.cells.rolls import distribution, draw_rolls


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Attributes:
        persons: All of them.
        cell: Persons of a cell, as wanted.
        added: Cells that are added in the end.
        seed: Of everything that is drawn by chance.
    """

    persons: int = 10_000_000
    cell: int = 100_000
    added: int = 5
    seed: int = 1

    @property
    def cells(self) -> int:
        """How many cells that makes."""
        return max(1, -(-self.persons // self.cell))


@dataclass(frozen=True)
class Findings:
    """What came of it.

    Attributes:
        plan: What was simulated.
        rolls: How photos are spread over persons.
        smallest: Persons in the smallest cell.
        largest: What the cell with most photos carries.
        all: What all cells carry together.
        limits: Of the largest cell, the first that breaks first.
        costs: Of the largest cell.
        loss: Of the largest cell.
        rebalancing: When cells are added.
    """

    plan: Plan
    rolls: Mapping[str, float]
    smallest: int
    largest: Load
    all: Load
    limits: Sequence[Limit]
    costs: Mapping[str, float]
    loss: Loss
    rebalancing: Rebalancing


def simulate(plan: Plan, assumptions: Assumptions) -> Findings:
    """Draw the persons, home them, and say what follows; the same for the same seed."""
    generator = np.random.default_rng(plan.seed)
    rolls = draw_rolls(plan.persons, assumptions.persons, generator)
    tags = draw_tags(plan.persons, generator)
    homes = propose(tags, [1.0] * plan.cells)
    persons = np.bincount(homes.cells, minlength=plan.cells)
    photos = np.bincount(homes.cells, weights=rolls, minlength=plan.cells)
    fullest = int(photos.argmax())
    largest = load_of(int(persons[fullest]), float(photos[fullest]), assumptions)
    return Findings(
        plan=plan,
        rolls=distribution(rolls),
        smallest=int(persons.min()),
        largest=largest,
        all=load_of(plan.persons, float(photos.sum()), assumptions),
        limits=limits(largest, assumptions),
        costs=costs(largest, assumptions),
        loss=loss_of(largest, plan.persons, assumptions),
        rebalancing=rebalance(homes, tags, rolls, plan.added, assumptions, cells=plan.cells),
    )
