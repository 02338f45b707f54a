"""Deletion of accounts, in stages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

USUAL_DELAY = timedelta(days=7)
"""The time for second thoughts, unless another one is asked for."""
LONGEST_DELAY = timedelta(days=30)
"""The longest time for second thoughts."""


class AccountDeletionState(StrEnum):
    """How far the deletion of an account has come; from KEYS_DESTROYED on it never goes back."""

    SCHEDULED = "SCHEDULED"
    CANCELLED = "CANCELLED"
    KEYS_DESTROYED = "KEYS_DESTROYED"
    COMPLETE = "COMPLETE"


@dataclass(frozen=True)
class AccountDeletion:
    """The deletion of a person's account.

    Attributes:
        id: Chosen here.
        subject: The person's pseudonym.
        request_time: When it was asked for.
        start_time: When it begins, unless it is cancelled before.
        cancel_time: When it was cancelled.
        keys_destroy_time: When it began.
        complete_time: When the last store had deleted what it had.
    """

    id: UUID
    subject: str
    request_time: datetime
    start_time: datetime
    cancel_time: datetime | None = None
    keys_destroy_time: datetime | None = None
    complete_time: datetime | None = None

    @property
    def state(self) -> AccountDeletionState:
        """How far it has come."""
        if self.complete_time is not None:
            return AccountDeletionState.COMPLETE
        if self.keys_destroy_time is not None:
            return AccountDeletionState.KEYS_DESTROYED
        return AccountDeletionState.SCHEDULED if self.cancel_time is None else AccountDeletionState.CANCELLED
