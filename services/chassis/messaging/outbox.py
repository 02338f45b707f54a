"""Outbox: events are written with the state they tell of, published afterwards, and kept until they are heard.

A row is deleted when every consumer of its stream has its event, so that a bus that lost its disk loses none. A crash
between publishing and writing that down publishes it again under the same id, which the bus and the consumers'
inboxes drop.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from services.chassis.database import Connection
from services.chassis.messaging.bus import StreamState
from services.chassis.messaging.events import OutgoingEvent
from services.chassis.telemetry.spans import inject_trace

__all__ = ["CHANNEL", "INSERT_EVENT", "KEEP", "WAKE_RELAY", "OutgoingEvent", "append", "event_parameters", "forget"]

CHANNEL = "outbox"
KEEP = timedelta(days=14)
"""An event that some consumer has not got within this time is given up."""
_GIVEN_UP_AT_A_TIME = 10_000

INSERT_EVENT = """
    INSERT INTO outbox (id, type, subject, body, headers, person)
    VALUES (%(event_id)s, %(event_type)s, %(event_subject)s, %(event_body)s, %(event_headers)s, %(event_person)s)
"""
"""Writes an event; for a statement that does more than that, with the parameters of `event_parameters`."""
WAKE_RELAY = f"pg_notify('{CHANNEL}', '')"
"""An expression that wakes the relay after the commit."""


async def append(connection: Connection, event: OutgoingEvent, trace: str = "") -> None:
    """Write an event in the running transaction; it is published after the commit.

    Args:
        connection: Of the transaction.
        event: What is told.
        trace: W3C traceparent that it goes on with; empty for the running one.
    """
    await connection.execute(INSERT_EVENT, event_parameters(event, trace))
    await connection.execute(f"NOTIFY {CHANNEL}")


async def forget(connection: Connection, person: str, until: datetime | None = None) -> int:
    """Delete events about a person, or those until a time: their erasure tells the others; return how many."""
    cursor = await connection.execute(
        """
        DELETE FROM outbox
        WHERE person = %(person)s AND person <> '' AND create_time <= coalesce(%(until)s::timestamptz, 'infinity')
        """,
        {"person": person, "until": until},
    )
    return cursor.rowcount


def event_parameters(event: OutgoingEvent, trace: str = "") -> dict[str, object]:
    """Return the parameters of `INSERT_EVENT`; the running trace goes along, or this one."""
    headers = {"traceparent": trace} if trace else {}
    if not trace:
        inject_trace(headers)
    return {
        "event_id": event.id,
        "event_type": event.type,
        "event_subject": event.subject,
        "event_body": event.body,
        "event_headers": Jsonb(headers),
        "event_person": event.person,
    }


@dataclass(frozen=True)
class OutboxRow:
    """An event that the bus does not have."""

    position: int
    id: UUID
    type: str
    subject: str
    body: bytes
    headers: dict[str, str]
    create_time: datetime
    losses: int
    person: str

    def event(self) -> OutgoingEvent:
        """Return the event."""
        return OutgoingEvent(type=self.type, subject=self.subject, body=self.body, id=self.id)

    def publish_headers(self) -> Mapping[str, str]:
        """Return what is sent with the event; the bus must not take one that it lost for one that it has."""
        return {**self.headers, "Nats-Msg-Id": f"{self.id}-{self.losses}"} if self.losses else self.headers


async def is_only_relay(connection: Connection) -> bool:
    """Say whether no other process publishes what is in this outbox, until the end of the transaction."""
    cursor = await connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('outbox relay', 2))")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def oldest_unsent(connection: Connection, limit: int, without: AbstractSet[str]) -> list[OutboxRow]:
    """Return the events that the bus does not have, in their order, but for those of these ids."""
    async with connection.cursor(row_factory=class_row(OutboxRow)) as cursor:
        await cursor.execute(
            """
            SELECT position, id, type, subject, body, headers, create_time, losses, person
            FROM outbox WHERE sequence IS NULL AND id <> ALL(%(without)s::uuid[])
            ORDER BY position LIMIT %(limit)s FOR UPDATE SKIP LOCKED
            """,
            {"limit": limit, "without": list(without)},
        )
        return await cursor.fetchall()


async def mark_sent(connection: Connection, sequences: Mapping[int, int], incarnation: datetime) -> None:
    """Write down where in the stream the bus has stored events, by position."""
    await connection.execute(
        """
        UPDATE outbox SET sequence = sent.sequence, incarnation = %(incarnation)s
        FROM unnest(%(positions)s::bigint[], %(sequences)s::bigint[]) AS sent (position, sequence)
        WHERE outbox.position = sent.position
        """,
        {"incarnation": incarnation, "positions": list(sequences), "sequences": list(sequences.values())},
    )


async def mark_displaced(connection: Connection, sent: Sequence[int], lowest: int, incarnation: datetime) -> int:
    """Mark as lost what the bus had at places that it gave away again: it came back with an older disk.

    Args:
        connection: Of the transaction in which events were sent.
        sent: Their positions.
        lowest: The first place that was given away now.
        incarnation: Of the stream.

    Returns:
        How many events are to be sent again.
    """
    cursor = await connection.execute(
        """
        UPDATE outbox SET sequence = NULL, incarnation = NULL, losses = losses + 1
        WHERE incarnation = %(incarnation)s AND sequence >= %(lowest)s AND position <> ALL(%(sent)s::bigint[])
        """,
        {"incarnation": incarnation, "lowest": lowest, "sent": list(sent)},
    )
    return cursor.rowcount


async def mark_lost(connection: Connection, state: StreamState) -> int:
    """Mark as lost what the bus had and has no more, so that it is sent again; return how many."""
    cursor = await connection.execute(
        """
        UPDATE outbox SET sequence = NULL, incarnation = NULL, losses = losses + 1
        WHERE sequence IS NOT NULL AND (
            incarnation < %(incarnation)s OR incarnation > %(incarnation)s
            OR (incarnation = %(incarnation)s AND sequence < %(first)s)
            OR (incarnation = %(incarnation)s AND sequence > %(last)s)
        )
        """,
        {"incarnation": state.incarnation, "first": state.first, "last": state.last},
    )
    return cursor.rowcount


async def delete_heard(connection: Connection, state: StreamState) -> None:
    """Delete the events that every consumer has."""
    await connection.execute(
        "DELETE FROM outbox WHERE incarnation = %(incarnation)s AND sequence <= %(heard)s",
        {"incarnation": state.incarnation, "heard": state.heard},
    )


async def give_up_unheard(connection: Connection) -> int:
    """Delete events that were sent and that some consumer has not got in all the time; return how many."""
    cursor = await connection.execute(
        """
        DELETE FROM outbox WHERE sequence IS NOT NULL AND create_time < now() - %(keep)s
            AND position = ANY(ARRAY(SELECT position FROM outbox ORDER BY position LIMIT %(limit)s))
        """,
        {"keep": KEEP, "limit": _GIVEN_UP_AT_A_TIME},
    )
    return cursor.rowcount
