"""Proposals of a cell for a person, by weighted rendezvous hashing. A proposal is no home: the directory decides.

A cell's score for a person is `u ** (1 / weight)` with `u` in 0..1 out of a hash of both; the highest score wins. A
cell that is added takes its share from all others and moves none between them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Tags: TypeAlias = npt.NDArray[np.uint64]
Cells: TypeAlias = npt.NDArray[np.int32]

_CHUNK = 1 << 16
"""Persons at a time: what fits into a core's cache."""
_ODD, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)
_SHIFT, _SHIFT_AGAIN = np.uint64(32), np.uint64(29)
_RANGE = float(1 << 64)


@dataclass(frozen=True)
class Proposals:
    """The best cell of each person so far, and its score."""

    cells: Cells
    scores: npt.NDArray[np.float64]


def draw_tags(count: int, generator: np.random.Generator) -> Tags:
    """Return the first 64 bits of the tags that the directory knows persons by."""
    return generator.integers(0, 1 << 64, count, dtype=np.uint64)


def propose(tags: Tags, weights: Sequence[float]) -> Proposals:
    """Return the cell of each person among cells of these weights, numbered from 0."""
    none = Proposals(np.zeros(len(tags), np.int32), np.full(len(tags), -1.0))
    return propose_also(none, tags, weights, first=0)


def propose_also(before: Proposals, tags: Tags, weights: Sequence[float], *, first: int) -> Proposals:
    """Return the cell of each person when cells are added.

    Args:
        before: What holds without them.
        tags: Of the persons.
        weights: Of the cells that are added.
        first: Number of the first of them.
    """
    cells, scores = before.cells.copy(), before.scores.copy()
    for start in range(0, len(tags), _CHUNK):
        part = slice(start, start + _CHUNK)
        for number, weight in enumerate(weights, first):
            score = _scores(tags[part], number, weight)
            better = score > scores[part]
            np.copyto(scores[part], score, where=better)
            np.copyto(cells[part], np.int32(number), where=better)
    return Proposals(cells, scores)


def _scores(tags: Tags, cell: int, weight: float) -> npt.NDArray[np.float64]:
    hashed = tags ^ np.uint64((cell + 1) * int(_ODD) % (1 << 64))
    hashed *= _MIX
    hashed ^= hashed >> _SHIFT
    hashed *= _ODD
    hashed ^= hashed >> _SHIFT_AGAIN
    uniform = hashed.astype(np.float64) / _RANGE
    return uniform if weight == 1 else uniform ** (1 / weight)
