"""Reading of erasures, with what each store deleted."""

from uuid import UUID

from services.retention.domain.erasure import Erasure, StorePurge, purge_table
from services.retention.errors import ErasureNotFound
from services.retention.operations.dependencies import Dependencies


async def get_erasure(subject: str, erasure: UUID, dependencies: Dependencies) -> tuple[Erasure, list[StorePurge]]:
    """Return an erasure and what each store deleted.

    Raises:
        ErasureNotFound: the person has none of this name.
    """
    async with dependencies.store.transaction() as transaction:
        found = await transaction.erasures.get(subject, erasure)
        if found is None:
            raise ErasureNotFound.of(erasure)
        reports = await transaction.orders.reports([erasure])
    return found, purge_table(reports.get(erasure, []), dependencies.data_map)


async def list_erasures(
    subject: str, *, before: int, limit: int, dependencies: Dependencies
) -> list[tuple[int, Erasure, list[StorePurge]]]:
    """Return erasures by number, the newest first, with what each store deleted.

    Args:
        subject: The person's pseudonym.
        before: Only erasures with a lower number.
        limit: At most this many.
        dependencies: The database, and what stores there are.
    """
    async with dependencies.store.transaction() as transaction:
        found = await transaction.erasures.page(subject, before, limit)
        reports = await transaction.orders.reports([erasure.id for _, erasure in found])
    return [(number, one, purge_table(reports.get(one.id, []), dependencies.data_map)) for number, one in found]
