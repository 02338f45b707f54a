"""Transactions that destroy: all that must hold before a caller is told of it is waited for here, in one place."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from services.chassis.errors import DomainError
from services.retention.domain.metrics import DESTRUCTION_DURATION
from services.retention.operations.dependencies import Dependencies
from services.retention.ports import Transaction


@asynccontextmanager
async def destroying(dependencies: Dependencies) -> AsyncIterator[Transaction]:
    """Run the block in a transaction that destroys on a caller's word; after it nothing can be opened of that.

    No database that is restored or fails over brings it back either: it stands in the journal.

    Raises:
        DependencyUnavailable: the journal does not have it yet; it is destroyed, and asking again waits anew.
    """
    with dependencies.revocations.awaited() as destruction:
        async with dependencies.store.transaction() as transaction:
            yield transaction
            await transaction.conclude(destruction.id)
        with _measured(dependencies):
            # Also when nothing was there to destroy: an earlier call may have been cut off while it waited.
            await destruction.heard()
            await dependencies.journal.written()


@contextmanager
def _measured(dependencies: Dependencies) -> Iterator[None]:
    began, outcome = dependencies.clock.monotonic(), dict[str, str]()
    try:
        yield
    except DomainError as error:
        outcome["error.type"] = error.reason
        raise
    finally:
        seconds = dependencies.clock.monotonic() - began
        dependencies.measurements.measure(DESTRUCTION_DURATION, seconds, outcome)


@asynccontextmanager
async def ending(dependencies: Dependencies) -> AsyncIterator[Transaction]:
    """Run the block in a transaction that destroys what has come to its end, which no caller waits for."""
    async with dependencies.store.transaction() as transaction:
        yield transaction
    dependencies.journal.wake()
