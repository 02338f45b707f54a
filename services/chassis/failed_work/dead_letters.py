"""Dead letters: events that could not be handled, kept for an operator, who has them handled again or deletes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from psycopg.rows import class_row

from services.chassis.database import Pool
from services.chassis.messaging.events import IncomingEvent

KEPT = timedelta(days=30)
"""A dead letter that is not looked at is deleted after this."""
_COLUMNS = "consumer, event_id, type, source, subject, event_time, body, deliveries, reason, person, retry_time"
_NUL, _REPLACEMENT = "\x00", "\ufffd"


@dataclass(frozen=True)
class DeadLetter:
    """An event that was given up.

    Attributes:
        consumer: Durable name of the one that could not handle it.
        event: What it could not handle; without its body if that cannot be read.
        deliveries: How often it was tried.
        reason: ErrorReason or name of the last error's type.
        person: Pseudonym of the person it is about; empty where it does not say.
        retry_time: When an operator asked that it be handled again; None once it was tried.
    """

    consumer: str
    event: IncomingEvent
    deliveries: int
    reason: str
    person: str = ""
    retry_time: datetime | None = None

    @classmethod
    def of(cls, consumer: str, event: IncomingEvent, *, deliveries: int, reason: str) -> Self:
        """Return the letter for an event; a body that does not say whose it is is not kept."""
        person = _person(event)
        return cls(consumer, event if person is not None else _without_body(event), deliveries, reason, person or "")


class DeadLetters:
    """The table `dead_letter` of a service's database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def put(self, letter: DeadLetter) -> None:
        """Keep a letter; the same event again changes its reason and its count."""
        async with self._pool.connection() as connection:
            await connection.execute(
                """
                INSERT INTO dead_letter AS known
                    (consumer, event_id, type, source, subject, event_time, body, deliveries, reason, person)
                VALUES
                    (%(consumer)s, %(id)s, %(type)s, %(source)s, %(subject)s, %(time)s, %(body)s, %(deliveries)s,
                     %(reason)s, %(person)s)
                ON CONFLICT (consumer, event_id) DO UPDATE
                SET deliveries = excluded.deliveries, reason = excluded.reason, retry_time = NULL
                """,
                {
                    "consumer": letter.consumer,
                    **{name: _storable(value) for name, value in vars(letter.event).items()},
                    "deliveries": letter.deliveries,
                    "reason": letter.reason,
                    "person": letter.person,
                },
            )

    async def asked_again(self, consumer: str, limit: int) -> Sequence[DeadLetter]:
        """Return letters of a consumer that an operator asked to be handled again, the longest waiting first."""
        async with self._pool.connection() as connection, connection.cursor(row_factory=class_row(_Row)) as cursor:
            await cursor.execute(
                f"""
                SELECT {_COLUMNS} FROM dead_letter WHERE consumer = %(consumer)s AND retry_time IS NOT NULL
                ORDER BY retry_time LIMIT %(limit)s
                """,  # noqa: S608
                {"consumer": consumer, "limit": limit},
            )
            return [row.letter() for row in await cursor.fetchall()]

    async def delete(self, consumer: str, event_id: str) -> None:
        """Delete a letter: its event was handled."""
        async with self._pool.connection() as connection:
            await connection.execute(
                "DELETE FROM dead_letter WHERE consumer = %s AND event_id = %s", (consumer, event_id)
            )

    async def forget_old(self, now: datetime) -> None:
        """Delete letters that were not looked at in time."""
        async with self._pool.connection() as connection:
            await connection.execute("DELETE FROM dead_letter WHERE create_time < %s", (now - KEPT,))


@dataclass(frozen=True)
class _Row:
    consumer: str
    event_id: str
    type: str
    source: str
    subject: str
    event_time: datetime
    body: bytes
    deliveries: int
    reason: str
    person: str
    retry_time: datetime | None

    def letter(self) -> DeadLetter:
        event = IncomingEvent(self.event_id, self.type, self.source, self.subject, self.event_time, self.body)
        return DeadLetter(self.consumer, event, self.deliveries, self.reason, self.person, self.retry_time)


def _person(event: IncomingEvent) -> str | None:
    """Return whom an event is about, by the field `subject` that every event of a person has; None if unreadable."""
    try:
        described = descriptor_pool.Default().FindMessageTypeByName(event.type)
        message = message_factory.GetMessageClass(described).FromString(event.body)
    except (KeyError, DecodeError):
        return None
    return str(getattr(message, "subject", ""))


def _without_body(event: IncomingEvent) -> IncomingEvent:
    return IncomingEvent(event.id, event.type, event.source, event.subject, event.time, b"")


def _storable(value: object) -> object:
    return value.replace(_NUL, _REPLACEMENT) if isinstance(value, str) else value
