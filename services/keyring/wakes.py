"""Wakes of those who must look again when keys of a person may have been destroyed."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class RevocationWakes:
    """Those who wait in this process, by person."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def waiting(self, subject: str) -> Iterator[asyncio.Event]:
        """Give an event that is set when keys of a person may have been destroyed; it is the waiter who clears it."""
        event = asyncio.Event()
        self._waiting[subject].add(event)
        try:
            yield event
        finally:
            self._waiting[subject].discard(event)
            if not self._waiting[subject]:
                del self._waiting[subject]

    def wake(self, subject: str) -> None:
        """Wake those who wait for a person."""
        for event in self._waiting.get(subject, ()):
            event.set()

    def wake_all(self) -> None:
        """Wake everyone: something may have been missed."""
        for subject in list(self._waiting):
            self.wake(subject)
