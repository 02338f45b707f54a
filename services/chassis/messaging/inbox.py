"""Inbox: which events already had their effect on this database."""

from datetime import timedelta

from services.chassis.database import Connection

REMEMBER = timedelta(days=22)
"""Longer than an event can be sent (`outbox.KEEP`) and the bus delivers it then (`bus.EVENT_MAX_AGE`)."""


async def first_time(connection: Connection, consumer: str, event_id: str) -> bool:
    """Tells whether this consumer meets the event for the first time, and remembers it.

    Call it in the transaction that holds the event's effect: either both are there or neither.
    """
    cursor = await connection.execute(
        """
        INSERT INTO inbox (consumer, event_id) VALUES (%(consumer)s, %(event_id)s)
        ON CONFLICT (consumer, event_id) DO NOTHING
        """,
        {"consumer": consumer, "event_id": event_id},
    )
    return cursor.rowcount == 1


async def forget_old(connection: Connection) -> int:
    """Delete what the bus can no longer deliver; return how many rows."""
    cursor = await connection.execute(
        "DELETE FROM inbox WHERE receive_time < now() - %(remember)s", {"remember": REMEMBER}
    )
    return cursor.rowcount
