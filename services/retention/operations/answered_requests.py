"""Recognition of requests that come again."""

from datetime import datetime
from uuid import UUID

from services.retention.domain.request import AnsweredRequest
from services.retention.errors import RequestIdReused
from services.retention.ports import Transaction


async def first_answer(transaction: Transaction, subject: str, request_id: UUID, asked: str) -> UUID | None:
    """Return what a request was answered with when it came first; None for a new one.

    Raises:
        RequestIdReused: it asked for something else.
    """
    found = await transaction.requests.find(subject, request_id)
    if found is None:
        return None
    if found.asked != asked:
        raise RequestIdReused.of(request_id)
    return found.answer


async def remember(
    transaction: Transaction, subject: str, request_id: UUID, asked: str, answer: UUID, now: datetime
) -> None:
    """Remember what a request is answered with."""
    await transaction.requests.add(subject, AnsweredRequest(request_id, asked, answer), now)
