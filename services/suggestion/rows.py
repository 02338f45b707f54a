"""What the tables hold, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class SuggestionRow:
    """A row of `suggestion`; `sealed` is a record sealed under the data key, which is one of the purpose."""

    id: UUID
    subject: str
    state: str
    purpose: str
    data_key_id: UUID
    purpose_revision: int
    sealed: bytes
    create_time: datetime
    update_time: datetime
    delete_time: datetime


@dataclass(frozen=True)
class RenditionRow:
    """A row of `rendition`: sides in pixels, size of the unsealed picture in bytes."""

    suggestion_id: UUID
    number: int
    data_key_id: UUID
    object: str
    layout: str
    content_type: str
    width: int
    height: int
    size_bytes: int


@dataclass(frozen=True)
class ActRow:
    """A row of `act`."""

    suggestion_id: UUID
    act: str
