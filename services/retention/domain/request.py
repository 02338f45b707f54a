"""Requests that were answered, as far as they must be recognised when they come again."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class AnsweredRequest:
    """A request and its answer.

    Attributes:
        id: Chosen by the caller.
        asked: All that the call asked for.
        answer: The erasure or the deletion of an account that it was answered with.
    """

    id: UUID
    asked: str
    answer: UUID
