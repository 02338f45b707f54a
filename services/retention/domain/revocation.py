"""Revocations: what the holders of keys must hear, what they say, and what replicas tell each other about it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from services.retention.domain.keys import DestroyedKey, Purpose


@dataclass(frozen=True)
class Revocation:
    """What was destroyed, for those who hold keys."""

    subject: str
    purposes: tuple[Purpose, ...] = ()
    data_key_ids: tuple[str, ...] = ()
    subject_erased: bool = False


@dataclass(frozen=True)
class DestructionTold:
    """All that one transaction destroyed was told before this."""

    destruction: UUID


@dataclass(frozen=True)
class DestructionHeard:
    """No holder that a replica answers for has any more what was destroyed."""

    destruction: UUID
    replica: UUID


@dataclass(frozen=True)
class Beat:
    """A replica's own beat has come back: all that was committed before it was sent is told."""

    number: int


News: TypeAlias = Revocation | DestructionTold | DestructionHeard | Beat
"""What a replica hears of all replicas, in the order of the commits."""

LEASE_SECONDS: Final = 3.0
"""Keys are held for at most this long after the last proof that nothing was missed."""


@dataclass(frozen=True)
class HolderWord:
    """What a holder of keys says.

    Attributes:
        acknowledged: What the messages up to this number name was dropped; 0 says nothing.
        renewal: Number of the renewal that is asked for; 0 asks nothing.
        leaving: Whether everything was dropped for good.
    """

    acknowledged: int = 0
    renewal: int = 0
    leaving: bool = False


@dataclass(frozen=True)
class Numbered:
    """A revocation for one holder, with the number that it acknowledges."""

    number: int
    revocation: Revocation


@dataclass(frozen=True)
class Lease:
    """How long a holder may hold keys, from when it asked for this renewal."""

    renewal: int
    seconds: float


HolderNews: TypeAlias = Numbered | Lease


def key_revocations(destroyed: Iterable[DestroyedKey]) -> list[Revocation]:
    """Return what the holders of destroyed data keys must hear, a message for each person."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key in destroyed:
        groups[key.subject].append(key.id)
    return [Revocation(subject, data_key_ids=tuple(ids)) for subject, ids in groups.items()]
