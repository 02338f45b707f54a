"""Watch of a person's suggestions."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from services.suggestion.operations.dependencies import Dependencies
from services.suggestion.operations.open_suggestions import OpenSuggestion, open_offered


async def watch(dependencies: Dependencies, *, subject: str) -> AsyncGenerator[list[OpenSuggestion], None]:
    """Yield what a person is shown now, and again after every change, until the reader ends it.

    Raises:
        PurposeNotGranted: the person has not granted CLOUD_PROCESSING, or has withdrawn it.
    """
    with dependencies.changes.watching(subject) as changed:
        while True:
            # Cleared before reading: a change that comes while rows are read wakes the next turn.
            changed.clear()
            yield await open_offered(dependencies, subject=subject)
            await changed.wait()
