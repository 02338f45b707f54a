"""Reading and watching where every purpose stands for a person."""

import asyncio
from collections.abc import AsyncGenerator

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import ConsentState
from services.consent.operations.dependencies import Dependencies
from services.keyring import Purpose

_PATIENCE_SECONDS = 0.5
"""How long a read waits for the key service; without its word the books say what stands."""


async def read_state(subject: str, dependencies: Dependencies) -> ConsentState:
    """Return where every purpose stands now.

    An erasure of everything ends what was granted before the books hear of it: what has no key does not stand.
    """
    history, now = await dependencies.store.history(subject), dependencies.clock.now()
    state = history.state(now)
    if history.pending is None and state.gives(Purpose.CLOUD_PROCESSING) and not await _lives(subject, dependencies):
        return state.ended(now)
    return state


async def watch_state(subject: str, dependencies: Dependencies) -> AsyncGenerator[ConsentState, None]:
    """Yield where every purpose stands, now and after every change."""
    with dependencies.feed.waiting(subject) as changed:
        last = None
        while True:
            state = await read_state(subject, dependencies)
            if state != last:
                yield state
                last = state
            await changed.wait()
            changed.clear()


async def _lives(subject: str, dependencies: Dependencies) -> bool:
    """Tell whether the purpose that all others need has its key, as far as is known."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await dependencies.keys.lives(subject=subject, purpose=Purpose.CLOUD_PROCESSING)
    except (DependencyUnavailable, TimeoutError):
        return True
