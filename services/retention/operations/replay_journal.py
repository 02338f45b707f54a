"""Replay of the journal: what was destroyed elsewhere or before is destroyed here too, as if it happened now."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from services.journal import Destruction, Entry, ErasedPerson, RevisionsReserved
from services.retention.domain.keys import DestroyedPurpose
from services.retention.domain.orders import OWN_NAME, PurgeCause, PurgeOrder, SubjectScope, key_orders
from services.retention.domain.revocation import Revocation, key_revocations
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.issue_purge_orders import issue_purge_orders
from services.retention.ports import Transaction


async def replay(entries: Sequence[Entry], dependencies: Dependencies) -> None:
    """Carry out what entries say; what holds here already is no error, and costs a statement.

    What dies only now was brought back: its purge orders are given again.
    """
    async with dependencies.store.transaction() as transaction:
        for entry in entries:
            match entry:
                case Destruction():
                    await _destroy(transaction, entry, dependencies)
                case RevisionsReserved(until):
                    await transaction.journal.reserve(until)
    dependencies.journal.wake()


async def _destroy(transaction: Transaction, told: Destruction, dependencies: Dependencies) -> None:
    if told.purpose_keys:
        await _destroy_purposes(transaction, [each.revision for each in told.purpose_keys], dependencies)
    if told.data_keys:
        await _destroy_keys(transaction, told.data_keys, dependencies)
    if told.media:
        await transaction.journal.end_media([(UUID(media), time) for media, time in told.media])
    if told.bounds:
        await transaction.journal.narrow(told.bounds)
    if told.epochs:
        await transaction.journal.end_epochs(told.epochs, dependencies.clock.now())
    if told.persons:
        await _erase(transaction, told, dependencies)


async def _destroy_purposes(transaction: Transaction, revisions: Sequence[int], dependencies: Dependencies) -> None:
    now = dependencies.clock.now()
    found: defaultdict[str, list[DestroyedPurpose]] = defaultdict(list)
    for subject, destroyed in await transaction.journal.destroy_purposes(revisions):
        found[subject].append(destroyed)
    for subject, purposes in found.items():
        await issue_purge_orders(transaction, subject, purposes, now, dependencies.data_map)


async def _destroy_keys(transaction: Transaction, ids: Sequence[str], dependencies: Dependencies) -> None:
    destroyed = await transaction.journal.destroy_keys(ids)
    services = dependencies.data_map.media_services
    await transaction.orders.add(key_orders(destroyed, services, PurgeCause.ERASURE, dependencies.clock.now()))
    await transaction.revoke(key_revocations(destroyed))


async def _erase(transaction: Transaction, told: Destruction, dependencies: Dependencies) -> None:
    """Write tombstones for all, and have everything deleted of those who are known here."""
    known = await transaction.journal.subjects(told.salt, [person.tag for person in told.persons])
    for person in told.persons:
        if person.tag in known:
            await _erase_person(transaction, known[person.tag], person, dependencies)
        await transaction.journal.remember_erased(told.salt, person.tag, person.time)


async def _erase_person(
    transaction: Transaction, subject: str, person: ErasedPerson, dependencies: Dependencies
) -> None:
    erased_at = await transaction.erasures.subject_erased_at(subject)
    if erased_at is not None and erased_at >= person.time and not person.account:
        return
    now = dependencies.clock.now()
    scope = SubjectScope(person.revision, person.time, person.account)
    await transaction.erasures.mark_subject(subject, person.time)
    await transaction.orders.add(
        [
            PurgeOrder(service, subject, PurgeCause.ERASURE, scope, now)
            for service in sorted({*dependencies.data_map.personal_services, OWN_NAME})
        ]
    )
    await transaction.revoke([Revocation(subject, subject_erased=True)])
