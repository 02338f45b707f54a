"""Orders to delete what can no longer be opened."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class PurgeCause(StrEnum):
    """Why keys were destroyed."""

    ERASURE = "ERASURE"
    WITHDRAWAL = "WITHDRAWAL"
    DEADLINE = "DEADLINE"
    REPLACED = "REPLACED"
    ACCOUNT_DELETION = "ACCOUNT_DELETION"
    KEY_LOST = "KEY_LOST"


@dataclass(frozen=True)
class DataKeyScope:
    """Artefacts sealed under these data keys, and rows that name them.

    Attributes:
        ids: At most 1000 ids of destroyed data keys; keys that other services created are among them.
    """

    ids: tuple[str, ...]


@dataclass(frozen=True)
class PurposeScope:
    """Everything that was made for a purpose.

    Attributes:
        purpose: Its name, such as "LOCATION".
        revision: Results with this purpose_revision or a lower one must go, and the fence rises to it.
    """

    purpose: str
    revision: int


@dataclass(frozen=True)
class SubjectScope:
    """Everything of a person as it was when they asked.

    Attributes:
        revision: Results with this purpose_revision or a lower one, whatever the purpose, must go, and the fence of
            every purpose rises to it.
        erase_time: Rows that know no revision must go if they were made at or before this time.
        account: Whether the account itself goes: consent's records, devices and change feeds as well.
    """

    revision: int
    erase_time: datetime
    account: bool = False


PurgeScope: TypeAlias = DataKeyScope | PurposeScope | SubjectScope


@dataclass(frozen=True)
class PurgeOrder:
    """An order to this service; carrying it out twice is the same as once.

    Attributes:
        name: `purgeOrders/{uuid}`.
        subject: The person's pseudonym.
        cause: Why.
        scope: What must go.
        create_time: When it was given.
    """

    name: str
    subject: str
    cause: PurgeCause
    scope: PurgeScope
    create_time: datetime


PurgeHandler: TypeAlias = Callable[[PurgeOrder], Awaitable[Mapping[str, int]]]
"""Carries an order out and returns how many rows or objects it deleted in each store.

Stores are named as in the data map, such as "ingest.table.media" or "ingest.bucket.media". A `DomainError` leaves the
order outstanding: it is tried again within a minute.
"""
