"""Purge executor: what the end of an account, an erasure of everything and a lost key mean for what was decided."""

from collections.abc import Mapping

import structlog

from services.consent.domain.change_plan import plan_end
from services.consent.domain.consent import EventType
from services.consent.domain.standing import Standing
from services.consent.operations.dependencies import Dependencies
from services.consent.operations.reconcile import carry_out, reconcile
from services.consent.ports import Ledger
from services.keyring import PurgeCause, PurgeOrder, Purpose, PurposeScope, SubjectScope

_log = structlog.stdlib.get_logger()


async def execute(order: PurgeOrder, dependencies: Dependencies) -> Mapping[str, int]:
    """Carry out an order, and return how many rows were deleted of each store.

    Decisions are not made for a purpose, but about it: they outlive the purpose's end and an erasure, and die with the
    account. An erasure of everything ends what was granted until then, since its keys are gone; so does a lost key.

    Raises:
        DependencyUnavailable: the key service does not answer; the order stays outstanding.
    """
    async with dependencies.store.locked(order.subject) as ledger:
        match order.scope:
            case SubjectScope(account=True) as scope:
                return await _delete_account(ledger, scope, order.subject, dependencies)
            case SubjectScope() as scope:
                await _end_erased(ledger, scope, order.subject, dependencies)
            case PurposeScope(purpose=purpose) if order.cause is PurgeCause.KEY_LOST:
                await _end_lost(ledger, Purpose(purpose), order.subject, dependencies)
    return {}


async def _delete_account(
    ledger: Ledger, scope: SubjectScope, subject: str, dependencies: Dependencies
) -> Mapping[str, int]:
    await reconcile(ledger, subject, dependencies)
    deleted = await ledger.purge(scope.erase_time)
    # A later grant may have lost what it builds on.
    await reconcile(ledger, subject, dependencies)
    return deleted


async def _end_erased(ledger: Ledger, scope: SubjectScope, subject: str, dependencies: Dependencies) -> None:
    """End what was granted until the erasure; what the person granted since has keys of its own and stays."""
    await reconcile(ledger, subject, dependencies)
    history, now = await ledger.history(), dependencies.clock.now()
    standing = Standing(history.latest, now)
    if ended := standing.granted_until(scope.erase_time):
        change = plan_end(standing, ended, EventType.WITHDRAWN, revision=history.revision, now=now)
        await carry_out(ledger, change, subject, dependencies)


async def _end_lost(ledger: Ledger, purpose: Purpose, subject: str, dependencies: Dependencies) -> None:
    """End a grant whose key is lost, unless the person has granted the purpose again since: then its key lives."""
    await reconcile(ledger, subject, dependencies)
    history, now = await ledger.history(), dependencies.clock.now()
    standing = Standing(history.latest, now)
    if standing.granted(purpose) and not await dependencies.keys.lives(subject=subject, purpose=purpose):
        _log.error("purpose_key_lost", subject=subject, purpose=purpose)
        change = plan_end(standing, [purpose], EventType.KEY_LOST, revision=history.revision, now=now)
        await carry_out(ledger, change, subject, dependencies)
