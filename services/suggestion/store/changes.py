"""Changes of suggestions, as PostgreSQL announces them."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager
from dataclasses import dataclass

from services.chassis.listener import Listener

CHANNEL = "suggestion"
"""Each notification's payload is the pseudonym of a person."""


@dataclass(frozen=True)
class ChangeFeed:
    """Implements `Changes` on the process's listener."""

    listener: Listener

    def watching(self, subject: str) -> AbstractContextManager[asyncio.Event]:
        """Give an event that is set whenever this person's suggestions have changed (`Changes.watching`)."""
        return self.listener.waiting(CHANNEL, subject)
