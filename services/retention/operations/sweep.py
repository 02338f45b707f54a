"""Sweep: all that time asks for, and no call."""

from services.retention.operations import purge
from services.retention.operations.deadlines import destroy_due_keys, destroy_expired_purposes
from services.retention.operations.delete_account import begin_due_account_deletions
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.forget_records import forget_records
from services.retention.operations.rotate_epochs import rotate_epochs


async def destroy_due(dependencies: Dependencies) -> None:
    """Destroy what has come to its end, and delete the rows that destructions left behind."""
    await destroy_expired_purposes(dependencies)
    await begin_due_account_deletions(dependencies)
    await destroy_due_keys(dependencies)
    while await purge.execute(dependencies):
        pass


async def keep_house(dependencies: Dependencies) -> None:
    """Look after the epochs, and delete records that have outlived their use."""
    await rotate_epochs(dependencies)
    await forget_records(dependencies)


def epoch_is_due(dependencies: Dependencies) -> bool:
    """Tell whether the day of the newest epoch is over, or its key lost."""
    newest = dependencies.epoch_keys.newest
    return newest < dependencies.clock.now().date().isoformat() or not dependencies.epoch_keys.has(newest)
