"""Reading and watching where every purpose stands for a person."""

from collections.abc import AsyncGenerator

from services.consent.domain.consent import ConsentState
from services.consent.operations.dependencies import Dependencies


async def read_state(subject: str, dependencies: Dependencies) -> ConsentState:
    """Return where every purpose stands now."""
    history = await dependencies.store.history(subject)
    return history.state(dependencies.clock.now())


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
