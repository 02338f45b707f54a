"""Notices, policies and the records of notices shown, in PostgreSQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.rows import class_row

from services.chassis.database import Pool, subject_lock
from services.chassis.limits.allowance import DAY, DailyLimit
from services.consent.domain.change import Request
from services.consent.domain.notice import Notice, NoticeServing, PublishedNotice
from services.consent.domain.policy import Policy
from services.consent.errors import NoticeInvalid, RequestIdReused
from services.consent.store.persons import PersonRows
from services.consent.store.record_keys import RecordKeys
from services.consent.store.records import serving, serving_row
from services.consent.store.servings import ServingRows


@dataclass(frozen=True)
class _NoticeRow:
    canonical_json: bytes
    publish_time: datetime
    current: bool


class PostgresNoticeStore:
    """Implements `ports.NoticeStore`.

    Args:
        pool: Connections to this service's database.
        keys: The keys of persons' records.
        reopen: Reads a published notice's canonical bytes.
    """

    def __init__(self, pool: Pool, keys: RecordKeys, reopen: Callable[[bytes], Notice]) -> None:
        self._pool = pool
        self._keys = keys
        self._reopen = reopen

    async def publish(self, notices: Sequence[Notice], *, now: datetime) -> None:
        """Publish notices (`NoticeStore.publish`)."""
        for notice in notices:
            try:
                await self._publish(notice, now)
            except UniqueViolation as error:
                raise NoticeInvalid.edition_changed(notice.bundle.edition) from error

    async def record_policy(self, policy: Policy, *, now: datetime) -> None:
        """Keep a policy (`NoticeStore.record_policy`)."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO policy (sha256, version, content, load_time)
                VALUES (%(sha256)s, %(version)s, %(content)s, %(now)s)
                ON CONFLICT (sha256) DO NOTHING
                """,
                {"sha256": policy.sha256, "version": policy.version, "content": policy.content, "now": now},
            )

    async def notice(self, digest: str) -> PublishedNotice | None:
        """Return a published notice."""
        rows = await self._notices("WHERE digest = %(digest)s", {"digest": digest})
        return rows[0] if rows else None

    async def current(self) -> PublishedNotice:
        """Return the notice of the newest edition; one is published at every start."""
        return (await self._notices("ORDER BY edition DESC LIMIT 1", {}))[0]

    async def notices(self, *, below_edition: str | None, limit: int) -> Sequence[PublishedNotice]:
        """Return published notices, newest first (`NoticeStore.notices`)."""
        return await self._notices(
            "WHERE %(below)s::text IS NULL OR edition < %(below)s ORDER BY edition DESC LIMIT %(limit)s",
            {"below": below_edition, "limit": limit},
        )

    async def record_serving(
        self, subject: str, record: NoticeServing, request: Request, *, limit: DailyLimit
    ) -> NoticeServing:
        """Record that a notice was shown (`NoticeStore.record_serving`)."""
        async with self._pool.connection() as connection, subject_lock(connection, subject):
            persons, servings = PersonRows(connection), ServingRows(connection)
            await persons.add_person(subject, revision=0, wrapped_key=self._keys.make(subject))
            key = self._keys.unwrap(await persons.wrapped_key(subject), subject=subject)
            first = await servings.of_request(subject, request.id)
            if first is None and await persons.request(subject, request.id) is not None:
                raise RequestIdReused.of(request.id)
            if first is None:
                since = record.serve_time - DAY
                limit.check(await servings.times(subject, since, limit.most), record.serve_time)
                row = serving_row(record, request_id=request.id, request_sha256=request.sha256, key=key)
                await servings.add(subject, row)
                return record
        if first.request_sha256 != request.sha256:
            raise RequestIdReused.of(request.id)
        return serving(first, key)

    async def serving(self, subject: str, serving_id: UUID) -> NoticeServing | None:
        """Return a record of this person."""
        async with self._pool.connection() as connection, subject_lock(connection, subject):
            row = await ServingRows(connection).get(subject, serving_id)
            if row is None:
                return None
            wrapped = await PersonRows(connection).wrapped_key(subject)
        return serving(row, self._keys.unwrap(wrapped, subject=subject))

    async def _publish(self, notice: Notice, now: datetime) -> None:
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO notice (digest, edition, canonical_json, publish_time)
                VALUES (%(digest)s, %(edition)s, %(canonical_json)s, %(now)s)
                ON CONFLICT (digest) DO NOTHING
                """,
                {
                    "digest": notice.digest,
                    "edition": notice.bundle.edition,
                    "canonical_json": notice.canonical_json,
                    "now": now,
                },
            )

    async def _notices(self, which: str, arguments: dict[str, str | int | None]) -> list[PublishedNotice]:
        async with (
            self._pool.connection() as connection,
            connection.cursor(row_factory=class_row(_NoticeRow)) as cursor,
        ):
            await cursor.execute(
                f"""
                SELECT canonical_json, publish_time, edition = (SELECT max(edition) FROM notice) AS current
                FROM notice {which}
                """,  # noqa: S608  # one of three clauses above
                arguments,
            )
            rows = await cursor.fetchall()
        return [PublishedNotice(self._reopen(row.canonical_json), row.publish_time, row.current) for row in rows]
