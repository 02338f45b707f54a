"""Destruction of everything of a person, in the running transaction."""

from datetime import datetime

from services.retention.domain.orders import SubjectScope
from services.retention.domain.revocation import Revocation
from services.retention.ports import Transaction


async def destroy_person(transaction: Transaction, subject: str, now: datetime, *, account: bool) -> SubjectScope:
    """Destroy every purpose key of a person, and return what the services must delete.

    Args:
        transaction: In which the person is locked.
        subject: The person's pseudonym.
        now: Decisions made until then count no more.
        account: Whether the account itself goes as well.
    """
    await transaction.purposes.hold_all(subject)
    scope = SubjectScope(await transaction.purposes.next_revision(), now, account)
    await transaction.purposes.destroy_all(subject)
    await transaction.erasures.mark_subject(subject, now)
    await transaction.revoke([Revocation(subject, subject_erased=True)])
    return scope
