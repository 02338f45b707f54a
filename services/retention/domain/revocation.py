"""Revocations: what the holders of keys must hear."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from services.retention.domain.keys import DestroyedKey, Purpose


@dataclass(frozen=True)
class Revocation:
    """What was destroyed, for those who hold keys."""

    subject: str
    purposes: tuple[Purpose, ...] = ()
    data_key_ids: tuple[str, ...] = ()
    subject_erased: bool = False


def key_revocations(destroyed: Iterable[DestroyedKey]) -> list[Revocation]:
    """Return what the holders of destroyed data keys must hear, a message for each person."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key in destroyed:
        groups[key.subject].append(key.id)
    return [Revocation(subject, data_key_ids=tuple(ids)) for subject, ids in groups.items()]
