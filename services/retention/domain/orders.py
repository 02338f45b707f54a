"""Purge orders: what a service must delete because it can no longer be opened."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID, uuid4

from services.retention.domain.keys import DestroyedKey, DestroyedPurpose, Purpose

OWN_NAME = "retention"
"""This service's own name, as in orders to itself."""
ASKING_SERVICE = "consent"
"""The service that hears of lost keys, because it can ask the person again."""
MAX_KEYS_IN_ORDER = 1000
"""Data keys named by one order."""


class PurgeCause(StrEnum):
    """Why keys were destroyed."""

    ERASURE = "ERASURE"
    WITHDRAWAL = "WITHDRAWAL"
    DEADLINE = "DEADLINE"
    ACCOUNT_DELETION = "ACCOUNT_DELETION"
    KEY_LOST = "KEY_LOST"


@dataclass(frozen=True)
class DataKeyScope:
    """Artefacts sealed under these data keys."""

    ids: tuple[str, ...]


@dataclass(frozen=True)
class PurposeScope:
    """Everything of a purpose up to a fencing number."""

    purpose: Purpose
    revision: int


@dataclass(frozen=True)
class SubjectScope:
    """Everything of a person up to a fencing number and a time; `account`: and the account itself."""

    revision: int
    erase_time: datetime
    account: bool = False


PurgeScope: TypeAlias = DataKeyScope | PurposeScope | SubjectScope


@dataclass(frozen=True)
class PurgeOrder:
    """An order to one service to delete what can no longer be opened."""

    service: str
    subject: str
    cause: PurgeCause
    scope: PurgeScope
    create_time: datetime
    erasure: UUID | None = None
    complete_time: datetime | None = None
    id: UUID = field(default_factory=uuid4)
    account_deletion: UUID | None = None


def key_orders(
    destroyed: Iterable[DestroyedKey],
    services: Sequence[str],
    cause: PurgeCause,
    now: datetime,
    erasure: UUID | None = None,
) -> list[PurgeOrder]:
    """Return orders about destroyed data keys: for each person to each service, of at most 1000 keys each."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for key in destroyed:
        groups[key.subject].append(key.id)
    return [
        PurgeOrder(service, subject, cause, DataKeyScope(tuple(portion)), now, erasure)
        for subject, ids in groups.items()
        for portion in _portions(ids)
        for service in services
    ]


def purpose_orders(
    subject: str,
    destroyed: DestroyedPurpose,
    services: Sequence[str],
    now: datetime,
    cause: PurgeCause = PurgeCause.WITHDRAWAL,
) -> list[PurgeOrder]:
    """Return an order about a destroyed purpose key to each service, and one for our own rows."""
    scope = PurposeScope(destroyed.purpose, destroyed.revision)
    return [PurgeOrder(service, subject, cause, scope, now) for service in (*services, OWN_NAME)]


def lost_purpose_orders(
    subject: str, lost: DestroyedPurpose, services: Sequence[str], now: datetime
) -> list[PurgeOrder]:
    """Return orders about a purpose key that was lost: as of a destroyed one, and one to ask the person again."""
    return purpose_orders(subject, lost, (*services, ASKING_SERVICE), now, PurgeCause.KEY_LOST)


def erasure_orders(
    subject: str, scope: SubjectScope, services: Iterable[str], now: datetime, erasure: UUID
) -> list[PurgeOrder]:
    """Return an order about everything of a person to each service, and one for our own rows."""
    return [
        PurgeOrder(service, subject, PurgeCause.ERASURE, scope, now, erasure)
        for service in sorted({*services, OWN_NAME})
    ]


def account_orders(
    subject: str, scope: SubjectScope, services: Iterable[str], now: datetime, account_deletion: UUID
) -> list[PurgeOrder]:
    """Return an order about a person's account to each service, and one for our own rows."""
    return [
        PurgeOrder(service, subject, PurgeCause.ACCOUNT_DELETION, scope, now, account_deletion=account_deletion)
        for service in sorted({*services, OWN_NAME})
    ]


def _portions(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + MAX_KEYS_IN_ORDER] for start in range(0, len(ids), MAX_KEYS_IN_ORDER)]
