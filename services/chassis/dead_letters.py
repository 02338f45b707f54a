"""Dead letters: events that could not be handled, kept for an operator."""

from services.chassis.database import Pool
from services.chassis.events import IncomingEvent


async def dead_letter(pool: Pool, consumer: str, event: IncomingEvent, *, deliveries: int, reason: str) -> None:
    """Keep an event that is given up; the same event again changes nothing.

    Args:
        pool: Of the consumer's service.
        consumer: Durable name.
        event: What could not be handled.
        deliveries: How often it was tried.
        reason: ErrorReason or name of the last error's type.
    """
    async with pool.connection() as connection:
        await connection.execute(
            """
            INSERT INTO dead_letter
                (consumer, event_id, type, source, subject, event_time, body, deliveries, reason)
            VALUES
                (%(consumer)s, %(event_id)s, %(type)s, %(source)s, %(subject)s, %(event_time)s, %(body)s,
                 %(deliveries)s, %(reason)s)
            ON CONFLICT (consumer, event_id) DO NOTHING
            """,
            {
                "consumer": consumer,
                "event_id": event.id,
                "type": event.type,
                "source": event.source,
                "subject": event.subject,
                "event_time": event.time,
                "body": event.body,
                "deliveries": deliveries,
                "reason": reason,
            },
        )
