"""Events in the life of cells: one is lost, some are added."""

from dataclasses import dataclass

import numpy as np

from deploy.cells.assumptions import Assumptions
from deploy.cells.homing import Proposals, Tags, propose_also
from deploy.cells.loads import HOUR, Load, data_keys, object_megabytes
from deploy.cells.rolls import Rolls

MOVE_MEGABYTES = 50.0
"""Bytes a second that moves may take of the line between two cells."""
MOVE_KEYS_SHARE = 0.25
"""Of a cell's rate of wrapping that moves may take: each key is sealed once and wrapped once on its way."""


@dataclass(frozen=True)
class Loss:
    """A cell that is gone with all its stores.

    Attributes:
        share_of_persons: Of all persons.
        photos: That were in it; those that are on phones still come again.
        hours_of_uploads: Until phones have sent them again, at the measured rate of one store.
        days_of_analysis: Until they are understood again, on all the servers of models that are configured.
    """

    share_of_persons: float
    photos: float
    hours_of_uploads: float
    days_of_analysis: float


@dataclass(frozen=True)
class Rebalancing:
    """Cells that are added, and persons who move there.

    Attributes:
        added: Cells.
        moved: Persons who move.
        share: Of all persons.
        between_old_cells: Persons whom the hash would move between cells that were there; none, by its nature.
        gigabytes: That move.
        hours: Until it is done, at the paced rate, cells side by side.
        held_by: What holds the rate: bytes or keys.
    """

    added: int
    moved: int
    share: float
    between_old_cells: int
    gigabytes: float
    hours: float
    held_by: str


def loss_of(load: Load, persons: int, assumptions: Assumptions) -> Loss:
    """Return what it means that this cell is lost."""
    measured, configured = assumptions.measured, assumptions.configured
    analyses = measured.analyses * configured.inference_servers * configured.inference_cores / measured.cores
    return Loss(
        share_of_persons=load.persons / persons,
        photos=load.photos,
        hours_of_uploads=load.photos / measured.uploads / HOUR,
        days_of_analysis=load.photos / analyses / HOUR / 24,
    )


def rebalance(
    before: Proposals, tags: Tags, rolls: Rolls, added: int, assumptions: Assumptions, *, cells: int
) -> Rebalancing:
    """Return what it takes to fill cells that are added to as many as there are."""
    after = propose_also(before, tags, [1.0] * added, first=cells)
    moving = after.cells != before.cells
    moved, photos = int(moving.sum()), float(rolls[moving].sum(dtype=np.int64))
    megabytes = object_megabytes(moved, photos, assumptions.persons)
    # Each new cell takes from many at a time: its own line and its own wrapping are what holds it.
    bytes_hours = megabytes / added / MOVE_MEGABYTES / HOUR
    keys_hours = data_keys(moved, photos, assumptions.persons) / added / _keys_a_second(assumptions) / HOUR
    return Rebalancing(
        added=added,
        moved=moved,
        share=moved / len(tags),
        between_old_cells=int((moving & (after.cells < cells)).sum()),
        gigabytes=megabytes / 1000,
        hours=max(bytes_hours, keys_hours),
        held_by="bytes" if bytes_hours > keys_hours else "keys",
    )


def _keys_a_second(assumptions: Assumptions) -> float:
    return assumptions.measured.rewraps * MOVE_KEYS_SHARE
