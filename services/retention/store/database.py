"""Store: transactions, and the one read that is none."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from uuid import UUID

from services.chassis.database import Connection, Pool
from services.chassis.messaging.events import OutgoingEvent
from services.retention.domain.keys import Purpose, SealedKey, SealedKeys, WrappedKey
from services.retention.domain.orders import PurgeOrder
from services.retention.domain.readers import Reader
from services.retention.domain.revocation import Revocation
from services.retention.ports import Transaction
from services.retention.store import revocations
from services.retention.store.accounts import AccountDeletionTable
from services.retention.store.data_keys import DataKeyTable
from services.retention.store.epochs import EpochTable
from services.retention.store.erasures import ErasureTable
from services.retention.store.journal import JournalTable
from services.retention.store.orders import OrderTable
from services.retention.store.purposes import PURPOSE_KEY_COLUMNS, PurposeKeyRow, PurposeTable
from services.retention.store.replicas import PostgresReplicas
from services.retention.store.requests import RequestTable

_OLD_ORDERS = """
    DELETE FROM purge_order WHERE complete_time <= %(until)s AND erasure IS NULL AND account_deletion IS NULL
"""


class PostgresTransaction:
    """Implements `Transaction`."""

    def __init__(self, connection: Connection, announcement: Callable[[PurgeOrder], OutgoingEvent]) -> None:
        self._connection = connection
        self.epochs = EpochTable(connection)
        self.purposes = PurposeTable(connection)
        self.keys = DataKeyTable(connection)
        self.orders = OrderTable(connection, announcement)
        self.erasures = ErasureTable(connection)
        self.accounts = AccountDeletionTable(connection)
        self.requests = RequestTable(connection)
        self.journal = JournalTable(connection)

    async def lock_subject(self, subject: str) -> None:
        """Make this the only transaction that decides about a person until it ends."""
        await self._connection.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%(subject)s, 0))", {"subject": subject}
        )

    async def revoke(self, destroyed: Sequence[Revocation]) -> None:
        """Tells the holders of keys, at the end of the transaction."""
        await revocations.notify(self._connection, destroyed)

    async def conclude(self, destruction: UUID) -> None:
        """Tells all replicas that everything was told, at the end of the transaction."""
        await revocations.notify_end(self._connection, destruction)

    async def forget(
        self,
        *,
        tombstones_until: datetime,
        orders_until: datetime,
        erasures_until: datetime,
        accounts_until: datetime,
    ) -> None:
        """Delete records that ended at or before these times."""
        for statement, until in (
            ("DELETE FROM media WHERE delete_time <= %(until)s", tombstones_until),
            ("DELETE FROM erased_subject WHERE erase_time <= %(until)s", tombstones_until),
            ("DELETE FROM erased_person WHERE erase_time <= %(until)s", tombstones_until),
            (_OLD_ORDERS, orders_until),
            ("DELETE FROM erasure WHERE purge_time <= %(until)s", erasures_until),
            ("DELETE FROM request WHERE answer_time <= %(until)s", erasures_until),
            ("DELETE FROM account_deletion WHERE coalesce(cancel_time, complete_time) <= %(until)s", accounts_until),
        ):
            await self._connection.execute(statement, {"until": until})


class PostgresStore:
    """Implements `Store`.

    Args:
        pool: Connections to this service's database.
        announcement: Renders the event that announces a purge order.
    """

    def __init__(self, pool: Pool, announcement: Callable[[PurgeOrder], OutgoingEvent]) -> None:
        self.replicas = PostgresReplicas(pool)
        self._pool = pool
        self._announcement = announcement

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begins a transaction; it is undone if the block raises."""
        return self._transaction()

    async def sealed_keys(
        self, subject: str, purpose: Purpose, ids: Collection[str], reader: Reader, now: datetime
    ) -> SealedKeys | None:
        """Return a live purpose key and those of the data keys that hang on it and may be opened, at one moment."""
        async with self._reading() as connection:
            cursor = await connection.execute(
                f"""
                SELECT {PURPOSE_KEY_COLUMNS}, data_key.id::text, coalesce(data_key.epoch, ''), data_key.sealed
                FROM purpose_key LEFT JOIN data_key
                    ON data_key.id = ANY(%(ids)s::uuid[]) AND data_key.subject = purpose_key.subject
                    AND data_key.purpose = purpose_key.purpose AND data_key.purpose_revision = purpose_key.revision
                    AND data_key.delete_time > %(now)s AND (
                        data_key.owner = %(service)s
                        OR data_key.owner = ANY(%(sources)s) AND data_key.lineage <> '{{}}'
                    )
                WHERE purpose_key.subject = %(subject)s AND purpose_key.purpose = %(purpose)s
                    AND purpose_key.expire_time > %(now)s
                """,  # noqa: S608
                {
                    "subject": subject,
                    "purpose": purpose,
                    "ids": list(ids),
                    "now": now,
                    "service": reader.service,
                    "sources": list(reader.sources),
                },
                binary=True,
            )
            rows = await cursor.fetchall()
        if not rows:
            return None
        # Thousands of rows: plain tuples, no class for each.
        keys = (SealedKey(id_, WrappedKey(epoch, sealed)) for *_, id_, epoch, sealed in rows if id_)
        return SealedKeys(PurposeKeyRow(*rows[0][:-3]).key(), tuple(keys))

    async def kept_media(self, subject: str, media: Collection[UUID], now: datetime) -> set[UUID]:
        """Return those of the media of which a data key of the person lives, in one statement."""
        async with self._reading() as connection:
            cursor = await connection.execute(
                """
                SELECT media FROM unnest(%(media)s::uuid[]) AS media WHERE EXISTS (
                    SELECT FROM data_key JOIN purpose_key
                        ON purpose_key.subject = data_key.subject AND purpose_key.purpose = data_key.purpose
                        AND purpose_key.revision = data_key.purpose_revision
                    WHERE data_key.lineage @> ARRAY[media] AND data_key.subject = %(subject)s
                        AND data_key.delete_time > %(now)s AND purpose_key.expire_time > %(now)s
                )
                """,
                {"subject": subject, "media": list(media), "now": now},
            )
            return {each for (each,) in await cursor.fetchall()}

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[PostgresTransaction]:
        async with self._pool.connection() as connection:
            yield PostgresTransaction(connection, self._announcement)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Connection]:
        """Give a connection for one statement without the two round trips that a transaction costs."""
        async with self._pool.connection() as connection:
            await connection.set_autocommit(True)
            try:
                yield connection
            finally:
                await connection.set_autocommit(False)
