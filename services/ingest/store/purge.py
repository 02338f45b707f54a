"""Tables as a purge sees them: every row that an order covers, under the person's lock."""

# ruff: noqa: S608 - put together from this module's own constants; values are parameters

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from services.chassis.database import Connection, Pool, subject_lock
from services.chassis.failed_work.departure import forget_person
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, Purpose, PurposeScope, SubjectScope

Parameters: TypeAlias = dict[str, object]

_OLD_REQUESTS = "subject = %(subject)s AND create_time <= %(erase_time)s"
_OF_CLOUD_PROCESSING = f"'{Purpose.CLOUD_PROCESSING}'"


@dataclass(frozen=True)
class _Covered:
    """Which rows an order covers: a condition that takes the row's purpose and data key as SQL."""

    condition: str
    parameters: Parameters
    requests: str = "false"
    """Which rows of `request`, that know neither purpose nor key."""
    devices: str = " AND revoke_time IS NULL"
    """Which rows of `device`: tombstones stay until the account goes."""

    @classmethod
    def by(cls, order: PurgeOrder) -> "_Covered":
        match order.scope:
            case DataKeyScope(ids):
                return cls("subject = %(subject)s AND {key} = ANY(%(keys)s::uuid[])", _of(order, keys=list(ids)))
            case PurposeScope(purpose, revision):
                condition = "subject = %(subject)s AND {purpose} = %(purpose)s AND purpose_revision <= %(revision)s"
                return cls(condition, _of(order, purpose=purpose, revision=revision))
            case SubjectScope(revision, erase_time, account):
                condition = "subject = %(subject)s AND purpose_revision <= %(revision)s"
                covered = cls(condition, _of(order, revision=revision, erase_time=erase_time), _OLD_REQUESTS)
                return replace(covered, devices="") if account else covered

    def where(self, *, purpose: str = "purpose", key: str = "data_key_id") -> str:
        """Return the condition for a table; `purpose` and `key` are columns, or what stands for them."""
        return self.condition.format(purpose=purpose, key=key)


def _of(order: PurgeOrder, **parameters: object) -> Parameters:
    return {"subject": order.subject, "now": order.create_time, **parameters}


class PurgeStore:
    """Implements `ports.PurgeTables` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def raise_fences(self, subject: str, purposes: Sequence[Purpose], revision: int) -> None:
        """Lets nothing in any more that was sealed under this revision, or an older one."""
        async with self._pool.connection() as connection, subject_lock(connection, subject):
            for purpose in purposes:
                await connection.execute(
                    """
                    INSERT INTO fence (subject, purpose, revision, raise_time)
                    VALUES (%(subject)s, %(purpose)s, %(revision)s, now())
                    ON CONFLICT (subject, purpose)
                    DO UPDATE SET revision = greatest(fence.revision, excluded.revision), raise_time = now()
                    """,
                    {"subject": subject, "purpose": purpose, "revision": revision},
                )

    async def objects(self, order: PurgeOrder) -> list[str]:
        """Return the objects of what must go."""
        covered = _Covered.by(order)
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"""
                SELECT object FROM segment WHERE data_key_id IN (
                    SELECT data_key_id FROM media WHERE {covered.where()}
                    UNION SELECT data_key_id FROM upload WHERE {covered.where()}
                )
                UNION SELECT unnest(objects) FROM discard WHERE {covered.where()}
                """,
                covered.parameters,
            )
            return [name for (name,) in await cursor.fetchall()]

    async def delete(self, order: PurgeOrder) -> tuple[Mapping[str, int], list[str]]:
        """Delete the rows of what must go."""
        before = await self.objects(order)
        async with self._pool.connection() as connection, subject_lock(connection, order.subject):
            deletion = _Deletion(connection, _Covered.by(order))
            if order.cause is PurgeCause.ERASURE and isinstance(order.scope, DataKeyScope):
                await deletion.remember()
            await deletion.run()
            if isinstance(order.scope, SubjectScope) and order.scope.account:
                await deletion.forget_person(order.subject, order.scope.erase_time)
        return deletion.counts, sorted(set(deletion.objects) - set(before))


class _Deletion:
    """The deletion of all rows that an order covers, in one transaction."""

    def __init__(self, connection: Connection, covered: _Covered) -> None:
        self._connection = connection
        self._covered = covered
        self._keys: list[UUID] = []
        self._freed_bytes = 0
        self.counts: dict[str, int] = {}
        self.objects: list[str] = []

    async def remember(self) -> None:
        """Note which media their owner deleted, so that the plan does not ask for them again."""
        await self._connection.execute(
            f"""
            INSERT INTO deleted_media (subject, media_id, tag, purpose_revision, deletion_time)
            SELECT subject, gone.id, gone.tag, lookup_key.purpose_revision, %(now)s
            FROM (SELECT subject, id, tag FROM media WHERE {self._covered.where()}) AS gone
            JOIN lookup_key USING (subject)
            ON CONFLICT DO NOTHING
            """,
            self._covered.parameters,
        )

    async def run(self) -> None:
        """Delete."""
        kept = f"SELECT data_key_id FROM media WHERE {self._covered.where()}"
        await self._delete("missing_media", f"data_key_id IN ({kept})")
        media = await self._delete_media()
        await self._delete_uploads(media)
        await self._delete_streams()
        await self._delete("lookup_key", self._covered.where(purpose=_OF_CLOUD_PROCESSING))
        await self._delete("request", self._covered.requests)
        await self._delete("device", self._covered.where(purpose=_OF_CLOUD_PROCESSING) + self._covered.devices)
        await self._delete("deleted_media", self._covered.where(purpose=_OF_CLOUD_PROCESSING, key="NULL::uuid"))
        await self._release()

    async def forget_person(self, subject: str, until: datetime) -> None:
        """Delete what feed and outbox know of the person, after all that the deletion told them."""
        await self._connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        await forget_person(self._connection, subject, until)

    async def _delete_media(self) -> list[UUID]:
        rows = await self._delete("media", self._covered.where(), "id, data_key_id, size_bytes")
        self._keys += [row[1] for row in rows]
        self._freed_bytes += sum(row[2] for row in rows)
        return [row[0] for row in rows]

    async def _delete_uploads(self, media: list[UUID]) -> None:
        """Delete the uploads covered, and the finished ones that tell of media that are gone."""
        open_bytes = "CASE WHEN complete_time IS NULL THEN size_bytes ELSE 0 END"
        where = f"({self._covered.where()}) OR (subject = %(subject)s AND media_id = ANY(%(media)s))"
        rows = await self._delete("upload", where, f"data_key_id, {open_bytes}", media=media)
        self._keys += [row[0] for row in rows if row[0] is not None]
        self._freed_bytes += sum(row[1] for row in rows)

    async def _delete_streams(self) -> None:
        segments = await self._delete("segment", "data_key_id = ANY(%(gone)s)", "object", gone=self._keys)
        discards = await self._delete("discard", self._covered.where(), "objects")
        self.objects += [name for (name,) in segments] + [name for (names,) in discards for name in names]

    async def _release(self) -> None:
        await self._connection.execute(
            "UPDATE usage SET used_bytes = greatest(0, used_bytes - %(freed)s) WHERE subject = %(subject)s",
            {**self._covered.parameters, "freed": self._freed_bytes},
        )
        await self._delete("usage", "subject = %(subject)s AND used_bytes = 0 AND row_count = 0")

    async def _delete(
        self, table: str, where: str, returning: str = "subject", **parameters: object
    ) -> list[tuple[Any, ...]]:
        cursor = await self._connection.execute(
            f"DELETE FROM {table} WHERE {where} RETURNING {returning}", {**self._covered.parameters, **parameters}
        )
        rows = await cursor.fetchall()
        self.counts[f"ingest.table.{table}"] = len(rows)
        return rows
