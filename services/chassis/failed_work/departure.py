"""Departure of a person: what the chassis's tables know of them goes with their account."""

from datetime import datetime

from services.chassis.changes.records import forget_changes
from services.chassis.database import Connection
from services.chassis.failed_work import set_aside
from services.chassis.messaging import outbox


async def forget_person(connection: Connection, subject: str, until: datetime) -> None:
    """Delete, in the running transaction, change feed, set-aside items and dead letters of a person.

    Of the events about them those go that were written until a time: who comes back has new ones.
    """
    await forget_changes(connection, subject)
    await set_aside.forget_person(connection, subject)
    await outbox.forget(connection, subject, until)
