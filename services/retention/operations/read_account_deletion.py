"""Reading of account deletions, with what each store deleted."""

from uuid import UUID

from services.retention.domain.account import AccountDeletion
from services.retention.domain.erasure import StorePurge, purge_table
from services.retention.operations.delete_account import find
from services.retention.operations.dependencies import Dependencies


async def get_account_deletion(
    subject: str, deletion: UUID, dependencies: Dependencies
) -> tuple[AccountDeletion, list[StorePurge]]:
    """Return a deletion and what each store deleted.

    Raises:
        AccountDeletionNotFound: the person has none of this name.
    """
    async with dependencies.store.transaction() as transaction:
        found = await find(transaction, subject, deletion)
        reports = await transaction.orders.reports([deletion])
    return found, purge_table(reports.get(deletion, []), dependencies.data_map)
