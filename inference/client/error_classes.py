"""Error classes of an inference server: one table, whose first matching row decides."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ErrorClass(StrEnum):
    """What to do about an error."""

    RETRY = "retry"
    """The request was not looked at: send it again."""
    OVERLOAD = "overload"
    """Too much at a time: shrink the limit, and let the work wait."""
    SLOW = "slow"
    """No response in time: shrink the limit; again and again, and the breaker opens."""
    BREAK = "break"
    """The server is broken: open the breaker; only a restart helps."""
    MEMORY = "memory"
    """It needs a smaller batch: halve it once, then count it as a failure."""
    REFUSED = "refused"
    """This tensor is wrong, now and later."""
    MISSING = "missing"
    """It has no such model: the repository is wrong."""
    FAILED = "failed"
    """The model failed on this very input, as far as can be told; again and again, and the breaker opens."""


@dataclass(frozen=True)
class Row:
    """One kind of error.

    Attributes:
        code: gRPC status.
        fragment: What the server's words contain, in lower case; empty for whatever they are.
        error_class: What it means.
        event: What happened, for people.
    """

    code: str
    fragment: str
    error_class: ErrorClass
    event: str


TABLE: Final = (
    Row("UNAVAILABLE", "exceeds maximum queue size", ErrorClass.OVERLOAD, "its queue is full"),
    Row("UNAVAILABLE", "request timeout expired", ErrorClass.OVERLOAD, "the request waited too long in its queue"),
    Row("UNAVAILABLE", "", ErrorClass.RETRY, "connection refused or closed (GOAWAY), or a newer server drains"),
    Row("RESOURCE_EXHAUSTED", "", ErrorClass.OVERLOAD, "a proxy or the server sheds load"),
    Row("NOT_FOUND", "no available versions", ErrorClass.RETRY, "it drains, and denies the versions that it had"),
    Row("CANCELLED", "", ErrorClass.RETRY, "a newer server drains"),
    Row("NOT_FOUND", "", ErrorClass.MISSING, "it has no such model"),
    Row("INVALID_ARGUMENT", "", ErrorClass.REFUSED, "a tensor has the wrong name, type or shape"),
    Row("INTERNAL", "not healthy", ErrorClass.BREAK, "the model process is dead"),
    Row("INTERNAL", "stub process", ErrorClass.BREAK, "the model process is dead"),
    Row("INTERNAL", "out of memory", ErrorClass.MEMORY, "no memory for a batch of this size"),
    Row("INTERNAL", "memoryerror", ErrorClass.MEMORY, "no memory for a batch of this size"),
    Row("INTERNAL", "", ErrorClass.FAILED, "the model raised an error"),
    Row("DEADLINE_EXCEEDED", "", ErrorClass.SLOW, "no response in time"),
)
"""Anything else breaks: an error that is not known is not retried."""


def classify(code: str, message: str) -> ErrorClass:
    """Return what to do about an error.

    Args:
        code: gRPC status, such as "UNAVAILABLE" or "StatusCode.UNAVAILABLE".
        message: The server's words.
    """
    name, words = code.rpartition(".")[2], message.lower()
    found = (row.error_class for row in TABLE if row.code == name and row.fragment in words)
    return next(found, ErrorClass.BREAK)


class Failed(Exception):
    """An error of the server, classified.

    Attributes:
        error_class: What to do about it.
    """

    def __init__(self, error_class: ErrorClass, message: str) -> None:
        super().__init__(message)
        self.error_class = error_class
