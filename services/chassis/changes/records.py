"""Change records: each transaction that alters what a person has says so, and so their devices learn it.

The same is at hand inside a statement, where a round trip of its own costs too much:
`SELECT record_changed(%(subject)s, array_agg('media/' || id)) FROM stored`.
"""

from collections.abc import Sequence

from services.chassis.database import Connection

CHANNEL = "change_feed"
"""Notified at the commit, with the person's pseudonym."""


async def record_changed(connection: Connection, subject: str, resources: Sequence[str]) -> None:
    """Say in the running transaction that resources were created or changed.

    From here to the end of the transaction the person's other changes wait: call it last.

    Args:
        connection: Of the transaction.
        subject: Pseudonym of the person.
        resources: Their names, such as `media/8c7d0f2e-4f1c-4b8e-9d55-2f6f0a2b1c3d`.
    """
    await connection.execute("SELECT record_changed(%s, %s::text[])", (subject, list(resources)))


async def record_deleted(connection: Connection, subject: str, resources: Sequence[str]) -> None:
    """Say in the running transaction that resources are gone; arguments as for `record_changed`."""
    await connection.execute("SELECT record_deleted(%s, %s::text[])", (subject, list(resources)))


async def record_all_deleted(connection: Connection, subject: str) -> None:
    """Say in the running transaction that all of a person's resources are gone; their devices learn it."""
    await connection.execute("SELECT record_all_deleted(%s)", (subject,))


async def forget_changes(connection: Connection, subject: str) -> None:
    """Delete all that the feed knows about a person, as their account goes; a follower begins anew."""
    await connection.execute("SELECT forget_changes(%s)", (subject,))


async def forget_device(connection: Connection, subject: str, device: str) -> None:
    """Delete how far a device knows the changes."""
    await connection.execute("DELETE FROM change_acknowledgement WHERE subject = %s AND device = %s", (subject, device))
