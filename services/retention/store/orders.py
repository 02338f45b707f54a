"""Statements about purge orders."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from psycopg.rows import class_row

from services.chassis.database import Connection
from services.chassis.messaging import outbox
from services.chassis.messaging.events import OutgoingEvent
from services.retention.domain.erasure import StorePurge
from services.retention.domain.keys import Purpose
from services.retention.domain.orders import (
    OWN_NAME,
    DataKeyScope,
    PurgeCause,
    PurgeOrder,
    PurgeScope,
    PurposeScope,
    SubjectScope,
)

_COLUMNS = (
    "number, id, service, subject, cause, data_key_ids::text[], purpose, revision, erase_time, erasure, create_time,"
    " complete_time, account, account_deletion"
)

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class _Row:
    """A row of `purge_order`."""

    number: int
    id: UUID
    service: str
    subject: str
    cause: str
    data_key_ids: list[str] | None
    purpose: str | None
    revision: int | None
    erase_time: datetime | None
    erasure: UUID | None
    create_time: datetime
    complete_time: datetime | None
    account: bool
    account_deletion: UUID | None

    def order(self) -> PurgeOrder:
        return PurgeOrder(
            service=self.service,
            subject=self.subject,
            cause=PurgeCause(self.cause),
            scope=self._scope(),
            create_time=self.create_time,
            erasure=self.erasure,
            complete_time=self.complete_time,
            id=self.id,
            account_deletion=self.account_deletion,
        )

    def _scope(self) -> PurgeScope:
        match self:
            case _Row(data_key_ids=list() as ids):
                return DataKeyScope(tuple(ids))
            case _Row(purpose=str() as purpose, revision=int() as revision):
                return PurposeScope(Purpose(purpose), revision)
            case _Row(revision=int() as revision, erase_time=datetime() as erase_time):
                return SubjectScope(revision, erase_time, self.account)
        raise ValueError(f"purge order {self.id} has no scope")


@dataclass(frozen=True)
class _Report:
    mandate: UUID
    service: str
    store: str
    purged_count: int
    complete_time: datetime | None


class OrderTable:
    """Implements `Orders`.

    Args:
        connection: Of the running transaction.
        announcement: Renders the event that announces an order.
    """

    def __init__(self, connection: Connection, announcement: Callable[[PurgeOrder], OutgoingEvent]) -> None:
        self._connection = connection
        self._announcement = announcement

    async def add(self, orders: Sequence[PurgeOrder]) -> None:
        """Store orders, and the events that announce those to other services."""
        async with self._connection.pipeline():
            for order in orders:
                await self._insert(order)
                if order.service != OWN_NAME:
                    await outbox.append(self._connection, self._announcement(order))

    async def outstanding(self, service: str, after: int, limit: int) -> list[tuple[int, PurgeOrder]]:
        """Return outstanding orders of a service by number, the oldest first, but for those that cannot be read."""
        found: list[tuple[int, PurgeOrder]] = []
        while len(found) < limit:
            rows = await self._fetch(
                f"""
                SELECT {_COLUMNS} FROM purge_order
                WHERE service = %(service)s AND complete_time IS NULL AND number > %(after)s
                ORDER BY number LIMIT %(limit)s
                """,  # noqa: S608
                {"service": service, "after": after, "limit": limit},
            )
            found += [(row.number, order) for row in rows if (order := _readable(row)) is not None]
            if len(rows) < limit:
                break
            after = rows[-1].number
        return found[:limit]

    async def open_ids(self, service: str, limit: int, without: AbstractSet[str]) -> list[tuple[UUID, str]]:
        """Return the ids of outstanding orders of a service, but these, the oldest first, with their persons."""
        cursor = await self._connection.execute(
            """
            SELECT id, subject FROM purge_order
            WHERE service = %(service)s AND complete_time IS NULL AND id <> ALL(%(without)s::uuid[])
            ORDER BY number LIMIT %(limit)s
            """,
            {"service": service, "limit": limit, "without": list(without)},
        )
        return [(id_, subject) for id_, subject in await cursor.fetchall()]

    async def hold_open(self, order: UUID) -> PurgeOrder | None:
        """Return an order that is outstanding and that no other transaction holds, and hold it."""
        rows = await self._fetch(
            f"""
            SELECT {_COLUMNS} FROM purge_order WHERE id = %(id)s AND complete_time IS NULL FOR UPDATE SKIP LOCKED
            """,  # noqa: S608
            {"id": order},
        )
        return rows[0].order() if rows else None

    async def hold(self, order: UUID, service: str) -> PurgeOrder | None:
        """Return an order of a service and holds it until the transaction ends."""
        rows = await self._fetch(
            f"SELECT {_COLUMNS} FROM purge_order WHERE id = %(id)s AND service = %(service)s FOR UPDATE",  # noqa: S608
            {"id": order, "service": service},
        )
        return rows[0].order() if rows else None

    async def report(self, order: UUID, purged: Mapping[str, int]) -> None:
        """Add to what stores deleted for an order."""
        await self._connection.execute(
            """
            INSERT INTO store_purge (purge_order, store, purged_count)
            SELECT %(order)s, store, purged_count
            FROM unnest(%(stores)s::text[], %(counts)s::bigint[]) AS new (store, purged_count)
            ON CONFLICT (purge_order, store)
            DO UPDATE SET purged_count = store_purge.purged_count + excluded.purged_count
            """,
            {"order": order, "stores": list(purged.keys()), "counts": list(purged.values())},
        )

    async def complete(self, order: UUID, now: datetime) -> None:
        """Record that an order was carried out."""
        await self._connection.execute(
            "UPDATE purge_order SET complete_time = %(now)s WHERE id = %(id)s", {"id": order, "now": now}
        )

    async def reports(self, mandates: Collection[UUID]) -> Mapping[UUID, list[StorePurge]]:
        """Return what the stores deleted for erasures and deletions of accounts, by their ids."""
        async with self._connection.cursor(row_factory=class_row(_Report)) as cursor:
            await cursor.execute(
                """
                SELECT coalesce(purge_order.erasure, purge_order.account_deletion) AS mandate, purge_order.service,
                    coalesce(store_purge.store, '') AS store, coalesce(store_purge.purged_count, 0) AS purged_count,
                    purge_order.complete_time
                FROM purge_order LEFT JOIN store_purge ON store_purge.purge_order = purge_order.id
                WHERE purge_order.erasure = ANY(%(mandates)s) OR purge_order.account_deletion = ANY(%(mandates)s)
                """,
                {"mandates": list(mandates)},
            )
            rows = await cursor.fetchall()
        found: defaultdict[UUID, list[StorePurge]] = defaultdict(list)
        for row in rows:
            found[row.mandate].append(StorePurge(row.store, row.service, row.purged_count, row.complete_time))
        return found

    async def _insert(self, order: PurgeOrder) -> None:
        await self._connection.execute(
            """
            INSERT INTO purge_order
                (id, service, subject, cause, data_key_ids, purpose, revision, erase_time, account, erasure,
                 account_deletion, create_time)
            VALUES
                (%(id)s, %(service)s, %(subject)s, %(cause)s, %(data_key_ids)s::uuid[], %(purpose)s, %(revision)s,
                 %(erase_time)s, %(account)s, %(erasure)s, %(account_deletion)s, %(create_time)s)
            """,
            {
                "id": order.id,
                "service": order.service,
                "subject": order.subject,
                "cause": order.cause,
                "erasure": order.erasure,
                "account_deletion": order.account_deletion,
                "create_time": order.create_time,
                **_scope_columns(order.scope),
            },
        )

    async def _fetch(self, statement: str, parameters: dict[str, object]) -> list[_Row]:
        async with self._connection.cursor(row_factory=class_row(_Row)) as cursor:
            await cursor.execute(statement.encode(), parameters)
            return await cursor.fetchall()


def _readable(row: _Row) -> PurgeOrder | None:
    """Return the order of a row; one that cannot be read is told, ages in the metric, and stops no other."""
    try:
        return row.order()
    except ValueError as error:
        _log.error("purge_order_unreadable", purge_order=str(row.id), exc_info=error)
        return None


def _scope_columns(scope: PurgeScope) -> dict[str, object]:
    columns: dict[str, object] = {"data_key_ids": None, "purpose": None, "revision": None, "erase_time": None}
    columns["account"] = False
    match scope:
        case DataKeyScope(ids=ids):
            return columns | {"data_key_ids": list(ids)}
        case PurposeScope(purpose=purpose, revision=revision):
            return columns | {"purpose": purpose, "revision": revision}
        case SubjectScope(revision=revision, erase_time=erase_time, account=account):
            return columns | {"revision": revision, "erase_time": erase_time, "account": account}
