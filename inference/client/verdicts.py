"""What each error of an inference server means: one table, in the order in which its rows are tried."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What to do about an error."""

    RETRY = "retry"
    """The request was not looked at: send it again."""
    OVERLOAD = "overload"
    """Too much at a time: shrink the limit, and let the work wait."""
    SLOW = "slow"
    """No answer in time: shrink the limit; again and again, and the breaker opens."""
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
        verdict: What it means.
        event: What happened, for people.
    """

    code: str
    fragment: str
    verdict: Verdict
    event: str


TABLE: Final = (
    Row("UNAVAILABLE", "exceeds maximum queue size", Verdict.OVERLOAD, "its queue is full"),
    Row("UNAVAILABLE", "request timeout expired", Verdict.OVERLOAD, "the request waited too long in its queue"),
    Row("UNAVAILABLE", "", Verdict.RETRY, "connection refused or closed (GOAWAY), or a newer server drains"),
    Row("RESOURCE_EXHAUSTED", "", Verdict.OVERLOAD, "a proxy or the server sheds load"),
    Row("NOT_FOUND", "no available versions", Verdict.RETRY, "it drains, and denies the versions that it had"),
    Row("CANCELLED", "", Verdict.RETRY, "a newer server drains"),
    Row("NOT_FOUND", "", Verdict.MISSING, "it has no such model"),
    Row("INVALID_ARGUMENT", "", Verdict.REFUSED, "a tensor has the wrong name, type or shape"),
    Row("INTERNAL", "not healthy", Verdict.BREAK, "the model process is dead"),
    Row("INTERNAL", "stub process", Verdict.BREAK, "the model process is dead"),
    Row("INTERNAL", "out of memory", Verdict.MEMORY, "no memory for a batch of this size"),
    Row("INTERNAL", "memoryerror", Verdict.MEMORY, "no memory for a batch of this size"),
    Row("INTERNAL", "", Verdict.FAILED, "the model raised an error"),
    Row("DEADLINE_EXCEEDED", "", Verdict.SLOW, "no answer in time"),
)
"""Anything else breaks: what nobody has seen before is not asked for again and again."""


def verdict(code: str, message: str) -> Verdict:
    """Returns what an error means.

    Args:
        code: gRPC status, such as "UNAVAILABLE" or "StatusCode.UNAVAILABLE".
        message: The server's words.
    """
    name, words = code.rpartition(".")[2], message.lower()
    found = (row.verdict for row in TABLE if row.code == name and row.fragment in words)
    return next(found, Verdict.BREAK)


class Failed(Exception):
    """An error of the server, judged.

    Attributes:
        verdict: What it means.
    """

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict
