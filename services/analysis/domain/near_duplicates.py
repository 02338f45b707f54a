"""Near-duplicates: shots that look alike and were taken together. Pure.

The thresholds were chosen on 118 photos. Copies that were shifted by up to 8 %, zoomed by 10 %, turned by 3 degrees
and exposed 30 % darker or brighter differ in at most 30 of 64 bits and have a cosine of at least 0.83; of 4,400 pairs
of different scenes none differs in fewer than 18 bits, and none comes above 0.80. Papers of one kind look alike
whatever stands on them, so that looks decide nothing about them without what was read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.analysis.domain.findings import Embedding, Kind
from services.analysis.domain.paper_text import PaperText, paper_text, say_the_same

TOGETHER = timedelta(minutes=5)
MOMENT = timedelta(minutes=1)
ALIKE_BITS = 10
ALIKE_COSINE = 0.3
SIMILAR_BITS, SIMILAR_COSINE = 22, 0.86
MOMENT_BITS, MOMENT_COSINE = 28, 0.82
COPY_BITS, COPY_COSINE = 4, 0.97
PAPER_BITS, PAPER_COSINE = 4, 0.98
LEADER_COSINE = 0.6


@dataclass(frozen=True)
class Shot:
    """What grouping looks at.

    Attributes:
        media: Its id.
        time: When it was taken; None if not known.
        perceptual_hash: 64 bits.
        embedding: Of the scene, of any length.
        encoder: Identity of the model that made it; what different ones made cannot be compared.
        kind: Papers and screens look alike without being the same, so they must match more closely.
        lines: What was read in it, line by line; decides of papers, and of screens with text.
    """

    media: UUID
    time: datetime | None
    perceptual_hash: int
    embedding: Embedding = field(repr=False)
    kind: Kind = Kind.PHOTO
    encoder: str = ""
    lines: tuple[str, ...] = field(default=(), repr=False)


def duplicate_groups(shots: Sequence[Shot]) -> dict[UUID, UUID]:
    """Find the groups.

    Args:
        shots: In any order; the answer does not depend on it.

    Returns:
        Media -> the first shot of its group, for media in a group of two or more.
    """
    ordered = sorted(shots, key=_order)
    if not ordered:
        return {}
    roll = _Roll(ordered)
    leaders: list[int] = []
    for index in range(len(ordered)):
        leaders.append(roll.leader_of(index, leaders))
    return _without_singles(ordered, leaders)


def _order(shot: Shot) -> tuple[float, str]:
    """Sorts by time, those without one last; equal times by name, so that every replica finds the same leaders."""
    return (float("inf") if shot.time is None else shot.time.timestamp()), str(shot.media)


class _Roll:
    """Shots in the order of time, with what is compared as arrays."""

    def __init__(self, shots: Sequence[Shot]) -> None:
        self._shots = shots
        self._texts: dict[int, PaperText] = {}
        self._hashes = np.asarray([shot.perceptual_hash for shot in shots], np.uint64)
        self._seconds = np.asarray([_seconds(shot) for shot in shots])

    def leader_of(self, index: int, leaders: Sequence[int]) -> int:
        """Return the leader of the group that a shot joins, itself if it joins none.

        Chains are cut: what joins must also look like the group's first shot.
        """
        for other, bits in self._candidates(index):
            cosine = self._cosine(index, other)
            if not _look_the_same(self._shots[index], self._shots[other], bits, cosine):
                continue
            leader = leaders[other]
            if self._cosine(index, leader) < min(LEADER_COSINE, cosine):
                continue
            if self._read_the_same(index, other) and self._read_the_same(index, leader):
                return leader
        return index

    def _candidates(self, index: int) -> Iterator[tuple[int, int]]:
        """Yield earlier shots that may be the same, the latest first, with the bits that differ."""
        bits = _popcount(self._hashes[:index] ^ self._hashes[index])
        together = np.abs(self._seconds[index] - self._seconds[:index]) <= TOGETHER.total_seconds()
        possible = (bits <= COPY_BITS) | (together & (bits <= MOMENT_BITS))
        for other in np.flatnonzero(possible)[::-1].tolist():
            yield other, int(bits[other])

    def _read_the_same(self, one: int, other: int) -> bool:
        """Tell whether what was read keeps nothing apart: of papers, and of screens with text, it must be the same."""
        kinds = {self._shots[one].kind, self._shots[other].kind}
        if kinds == {Kind.PHOTO}:
            return True
        mine, theirs = self._text(one), self._text(other)
        if kinds == {Kind.SCREENSHOT} and mine.is_empty and theirs.is_empty:
            return True
        return say_the_same(mine, theirs)

    def _text(self, index: int) -> PaperText:
        if index not in self._texts:
            self._texts[index] = paper_text(self._shots[index].lines)
        return self._texts[index]

    def _cosine(self, one: int, other: int) -> float:
        if self._shots[one].encoder != self._shots[other].encoder:
            return 0.0
        first, second = self._shots[one].embedding, self._shots[other].embedding
        lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
        return float(first @ second) / max(lengths, 1e-9)


def _seconds(shot: Shot) -> float:
    """Return the time as seconds; not known is far from everything, also from itself."""
    return shot.time.timestamp() if shot.time is not None else float("nan")


def _look_the_same(one: Shot, other: Shot, bits: int, cosine: float) -> bool:
    """Tells whether two shots are near-duplicates by their looks."""
    if cosine < ALIKE_COSINE:
        return False
    if one.kind is not Kind.PHOTO or other.kind is not Kind.PHOTO:
        return bits <= PAPER_BITS and cosine >= PAPER_COSINE
    if bits <= COPY_BITS and cosine >= COPY_COSINE:
        return True
    if one.time is None or other.time is None or abs(one.time - other.time) > TOGETHER:
        return False
    if bits <= ALIKE_BITS or (bits <= SIMILAR_BITS and cosine >= SIMILAR_COSINE):
        return True
    return abs(one.time - other.time) <= MOMENT and bits <= MOMENT_BITS and cosine >= MOMENT_COSINE


def _popcount(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the set bits of 64-bit words."""
    octets = words.view(np.uint8).reshape(len(words), 8)
    counts: NDArray[np.int64] = np.unpackbits(octets, axis=1).sum(axis=1, dtype=np.int64)
    return counts


def _without_singles(shots: Sequence[Shot], leaders: Sequence[int]) -> dict[UUID, UUID]:
    sizes = np.bincount(np.asarray(leaders), minlength=len(shots))
    return {shot.media: shots[leader].media for shot, leader in zip(shots, leaders, strict=True) if sizes[leader] > 1}
