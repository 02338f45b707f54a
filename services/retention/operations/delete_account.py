"""Deletion of accounts: asked for, cancelled in time, begun when its time has come."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog

from services.chassis.failed_work.set_aside import Item
from services.chassis.failed_work.turns import Turns
from services.retention.domain.account import AccountDeletion, AccountDeletionState
from services.retention.domain.orders import account_orders
from services.retention.errors import AccountDeletionBegun, AccountDeletionNotFound
from services.retention.operations.answered_requests import first_answer, remember
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destroy_person import destroy_person
from services.retention.operations.destruction import destroying, ending
from services.retention.ports import Transaction

_BATCH = 100

_log = structlog.stdlib.get_logger()


async def request_account_deletion(
    subject: str, request_id: UUID, delay: timedelta, dependencies: Dependencies
) -> AccountDeletion:
    """Schedule the deletion of a person's account; without a delay it has begun when this returns.

    Repeating it returns the first deletion, and so does asking again while one is scheduled.

    Raises:
        RequestIdReused: the request id belongs to another request.
    """
    now = dependencies.clock.now()
    asked = f"account after {delay.total_seconds():.0f} s"
    async with destroying(dependencies) as transaction:
        await transaction.lock_subject(subject)
        answer = await first_answer(transaction, subject, request_id, asked)
        if answer is not None:
            return await find(transaction, subject, answer)
        deletion = await _scheduled(transaction, subject, now, now + delay)
        await remember(transaction, subject, request_id, asked, deletion.id, now)
        return deletion if delay else await _begin(transaction, deletion, now, dependencies)


async def cancel_account_deletion(subject: str, deletion: UUID, dependencies: Dependencies) -> AccountDeletion:
    """Cancel a deletion that has not begun; cancelling it again changes nothing.

    Raises:
        AccountDeletionNotFound: the person has none of this name.
        AccountDeletionBegun: it is too late.
    """
    now = dependencies.clock.now()
    async with dependencies.store.transaction() as transaction:
        await transaction.lock_subject(subject)
        found = await find(transaction, subject, deletion)
        if found.state is AccountDeletionState.CANCELLED:
            return found
        if found.state is not AccountDeletionState.SCHEDULED or found.start_time <= now:
            raise AccountDeletionBegun.of(deletion, found.state)
        await transaction.accounts.cancel(deletion, now)
    return replace(found, cancel_time=now)


async def begin_due_account_deletions(turns: Turns, dependencies: Dependencies) -> int:
    """Begin the deletions whose time has come, and return how many."""

    async def due(without: AbstractSet[str]) -> Sequence[AccountDeletion]:
        async with dependencies.store.transaction() as transaction:
            return await transaction.accounts.due(dependencies.clock.now(), _BATCH, without)

    return await turns.take(
        due,
        lambda deletion: Item(str(deletion.id), deletion.subject),
        lambda deletion: _begin_due(deletion, dependencies),
    )


async def find(transaction: Transaction, subject: str, deletion: UUID) -> AccountDeletion:
    """Return a deletion of a person.

    Raises:
        AccountDeletionNotFound: the person has none of this name.
    """
    found = await transaction.accounts.get(subject, deletion)
    if found is None:
        raise AccountDeletionNotFound.of(deletion)
    return found


async def _scheduled(transaction: Transaction, subject: str, now: datetime, start_time: datetime) -> AccountDeletion:
    earlier = await transaction.accounts.scheduled(subject)
    if earlier is not None:
        return earlier
    deletion = AccountDeletion(uuid4(), subject, request_time=now, start_time=start_time)
    await transaction.accounts.add(deletion)
    return deletion


async def _begin_due(deletion: AccountDeletion, dependencies: Dependencies) -> None:
    async with ending(dependencies) as transaction:
        await transaction.lock_subject(deletion.subject)
        present = await transaction.accounts.get(deletion.subject, deletion.id)
        if present is not None and present.state is AccountDeletionState.SCHEDULED:
            await _begin(transaction, present, dependencies.clock.now(), dependencies)


async def _begin(
    transaction: Transaction, deletion: AccountDeletion, now: datetime, dependencies: Dependencies
) -> AccountDeletion:
    scope = await destroy_person(transaction, deletion.subject, now, account=True)
    await transaction.accounts.begin(deletion.id, now)
    services = dependencies.data_map.personal_services
    await transaction.orders.add(account_orders(deletion.subject, scope, services, now, deletion.id))
    _log.info("account_deletion_begun", account_deletion=str(deletion.id))
    return replace(deletion, keys_destroy_time=now)
