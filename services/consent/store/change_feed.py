"""Change feed: notifications of PostgreSQL, from the one listener of the process."""

import asyncio
from contextlib import AbstractContextManager

from services.chassis.database import Connection
from services.chassis.listener import Listener

CHANNEL = "consent_changed"


async def tell_watchers(connection: Connection, subject: str) -> None:
    """Wake who watches a person, after the commit."""
    await connection.execute("SELECT pg_notify(%(channel)s, %(subject)s)", {"channel": CHANNEL, "subject": subject})


class ListeningChangeFeed:
    """Implements `ports.ChangeFeed`."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def waiting(self, subject: str) -> AbstractContextManager[asyncio.Event]:
        """Give an event that is set when the consent of a person may have changed."""
        return self._listener.waiting(CHANNEL, subject)
