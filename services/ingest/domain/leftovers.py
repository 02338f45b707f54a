"""Leftovers: what the sweep takes away."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class ExpiredUpload:
    """An upload whose time is over: what tells it, and nothing that could be unreadable."""

    id: UUID
    subject: str
    is_complete: bool


@dataclass(frozen=True)
class Discard:
    """A stream that nothing refers to any more."""

    data_key_id: UUID
    subject: str
    objects: tuple[str, ...]
