"""Statements about purpose keys."""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

import structlog
from psycopg.rows import class_row

from services.chassis.database import Connection
from services.retention.domain.keys import DestroyedPurpose, Purpose, PurposeKey, WrappedKey

_COLUMNS = "subject, purpose, revision, consent_revision, expire_time, reach_back_time, epoch, sealed"
PURPOSE_KEY_COLUMNS = ", ".join(f"purpose_key.{column}" for column in _COLUMNS.split(", "))
"""What a `PurposeKeyRow` is made of, beside other tables."""

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class PurposeKeyRow:
    """A row of `purpose_key`."""

    subject: str
    purpose: str
    revision: int
    consent_revision: int
    expire_time: datetime
    reach_back_time: datetime | None
    epoch: str
    sealed: bytes

    def key(self) -> PurposeKey:
        """Return what the row stands for."""
        return PurposeKey(
            subject=self.subject,
            purpose=Purpose(self.purpose),
            revision=self.revision,
            consent_revision=self.consent_revision,
            expire_time=self.expire_time,
            wrapped=WrappedKey(self.epoch, self.sealed),
            reach_back_time=self.reach_back_time,
        )


class PurposeTable:
    """Implements `Purposes`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def next_revision(self) -> int:
        """Return a fencing number that was never used."""
        row = await (await self._connection.execute("SELECT nextval('purpose_revision')")).fetchone()
        if row is None:
            raise LookupError("a sequence always has a next value")
        return int(row[0])

    async def last_decision(self, subject: str, purpose: Purpose) -> int | None:
        """Return the latest consent revision seen for a purpose."""
        cursor = await self._connection.execute(
            "SELECT consent_revision FROM purpose_decision WHERE subject = %(subject)s AND purpose = %(purpose)s",
            {"subject": subject, "purpose": purpose},
        )
        row = await cursor.fetchone()
        return None if row is None else int(row[0])

    async def latest_decision(self, subject: str) -> int:
        """Return the latest consent revision seen for any purpose of a person; 0 if none was."""
        cursor = await self._connection.execute(
            "SELECT coalesce(max(consent_revision), 0) FROM purpose_decision WHERE subject = %(subject)s",
            {"subject": subject},
        )
        [(latest,)] = await cursor.fetchall()
        return int(latest)

    async def record_decision(self, subject: str, purposes: Collection[Purpose], revision: int) -> None:
        """Remembers a consent revision unless a later one is known."""
        await self._connection.execute(
            """
            INSERT INTO purpose_decision (subject, purpose, consent_revision)
            SELECT DISTINCT %(subject)s, purpose, %(revision)s::bigint FROM unnest(%(purposes)s::text[]) AS purpose
            ON CONFLICT (subject, purpose) DO UPDATE SET consent_revision = excluded.consent_revision
            WHERE purpose_decision.consent_revision < excluded.consent_revision
            """,
            {"subject": subject, "purposes": list(purposes), "revision": revision},
        )

    async def get(self, subject: str, purpose: Purpose) -> PurposeKey | None:
        """Return a purpose key, whether expired or not."""
        found = await self._fetch(
            f"SELECT {_COLUMNS} FROM purpose_key WHERE subject = %(subject)s AND purpose = %(purpose)s",  # noqa: S608
            {"subject": subject, "purpose": purpose},
        )
        return found[0] if found else None

    async def share(self, subject: str, purpose: Purpose, now: datetime) -> PurposeKey | None:
        """Return a live purpose key and keep it from being destroyed until the transaction ends."""
        found = await self._fetch(
            f"""
            SELECT {_COLUMNS} FROM purpose_key
            WHERE subject = %(subject)s AND purpose = %(purpose)s AND expire_time > %(now)s FOR SHARE
            """,  # noqa: S608
            {"subject": subject, "purpose": purpose, "now": now},
        )
        return found[0] if found else None

    async def hold_all(self, subject: str) -> None:
        """Keep every other transaction from creating keys for a person until this one ends."""
        await self._connection.execute(
            "SELECT purpose FROM purpose_key WHERE subject = %(subject)s ORDER BY purpose FOR UPDATE",
            {"subject": subject},
        )

    async def put(self, key: PurposeKey) -> None:
        """Store a purpose key, or its new consent revision, end and wrapping."""
        await self._connection.execute(
            f"""
            INSERT INTO purpose_key ({_COLUMNS})
            VALUES (%(subject)s, %(purpose)s, %(revision)s, %(consent_revision)s, %(expire_time)s,
                %(reach_back_time)s, %(epoch)s, %(sealed)s)
            ON CONFLICT (subject, purpose) DO UPDATE SET
                consent_revision = excluded.consent_revision, expire_time = excluded.expire_time,
                reach_back_time = excluded.reach_back_time, epoch = excluded.epoch, sealed = excluded.sealed
            WHERE purpose_key.revision = excluded.revision
            """,  # noqa: S608
            {
                "subject": key.subject,
                "purpose": key.purpose,
                "revision": key.revision,
                "consent_revision": key.consent_revision,
                "expire_time": key.expire_time,
                "reach_back_time": key.reach_back_time,
                "epoch": key.wrapped.epoch,
                "sealed": key.wrapped.sealed,
            },
        )

    async def expired(self, now: datetime, limit: int, without: AbstractSet[str]) -> list[tuple[str, str]]:
        """Return persons and purposes whose grant has ended, the oldest first, but not these `person/purpose`."""
        cursor = await self._connection.execute(
            """
            SELECT subject, purpose FROM purpose_key
            WHERE expire_time <= %(now)s AND subject || '/' || purpose <> ALL(%(without)s)
            ORDER BY expire_time LIMIT %(limit)s
            """,
            {"now": now, "limit": limit, "without": list(without)},
        )
        return [(subject, purpose) for subject, purpose in await cursor.fetchall()]

    async def destroy(
        self, subject: str, purposes: Collection[Purpose], consent_revision: int
    ) -> list[DestroyedPurpose]:
        """Delete purpose keys granted at this consent revision or an older one."""
        cursor = await self._connection.execute(
            """
            DELETE FROM purpose_key
            WHERE subject = %(subject)s AND purpose = ANY(%(purposes)s::text[])
                AND consent_revision <= %(consent_revision)s
            RETURNING purpose, revision
            """,
            {"subject": subject, "purposes": list(purposes), "consent_revision": consent_revision},
        )
        return [DestroyedPurpose(Purpose(purpose), revision) for purpose, revision in await cursor.fetchall()]

    async def destroy_all(self, subject: str) -> None:
        """Delete the purpose keys of a person, and what is known of their decisions."""
        for table in ("purpose_key", "purpose_decision"):
            await self._connection.execute(
                f"DELETE FROM {table} WHERE subject = %(subject)s",  # noqa: S608
                {"subject": subject},
            )

    async def outside_epoch(self, epoch: str, after: tuple[str, str], limit: int) -> list[PurposeKey]:
        """Return purpose keys that other epochs wrap, in the order of (subject, purpose), and locks them."""
        rows = await self._rows(
            f"""
            SELECT {_COLUMNS} FROM purpose_key
            WHERE (epoch < %(epoch)s OR epoch > %(epoch)s) AND (subject, purpose) > (%(subject)s, %(purpose)s)
            ORDER BY subject, purpose LIMIT %(limit)s FOR NO KEY UPDATE
            """,  # noqa: S608
            {"epoch": epoch, "subject": after[0], "purpose": after[1], "limit": limit},
        )
        return [key for row in rows if (key := _readable(row)) is not None]

    async def _fetch(self, statement: str, parameters: dict[str, object]) -> list[PurposeKey]:
        return [row.key() for row in await self._rows(statement, parameters)]

    async def _rows(self, statement: str, parameters: dict[str, object]) -> list[PurposeKeyRow]:
        async with self._connection.cursor(row_factory=class_row(PurposeKeyRow)) as cursor:
            await cursor.execute(statement.encode(), parameters)
            return await cursor.fetchall()


def _readable(row: PurposeKeyRow) -> PurposeKey | None:
    """Return the key of a row; one that cannot be read keeps its epoch alive, which is an alarm, and no other key."""
    try:
        return row.key()
    except ValueError as error:
        _log.error("purpose_key_unreadable", subject=row.subject, exc_info=error)
        return None
