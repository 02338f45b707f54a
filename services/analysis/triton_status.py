"""What each error of the inference server means: one table, in the order in which its rows are tried."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What to do about an error."""

    RETRY = "retry"
    """The request was not looked at: send it again."""
    OVERLOAD = "overload"
    """Too much at a time: shrink the limit, and let the work wait."""
    BREAK = "break"
    """The server is broken: stop asking until it is restarted."""
    MEMORY = "memory"
    """It needs a smaller batch."""
    REFUSED = "refused"
    """This tensor is wrong, now and later."""
    MISSING = "missing"
    """It has no such model: the repository is wrong."""
    FAILED = "failed"
    """The model failed on this very input, as far as can be told."""


@dataclass(frozen=True)
class _Row:
    code: str
    fragment: str
    verdict: Verdict


_TABLE = (
    _Row("UNAVAILABLE", "exceeds maximum queue size", Verdict.OVERLOAD),
    _Row("UNAVAILABLE", "request timeout expired", Verdict.OVERLOAD),
    _Row("UNAVAILABLE", "", Verdict.RETRY),
    _Row("RESOURCE_EXHAUSTED", "", Verdict.OVERLOAD),
    # While it drains, a server denies having any version of the models that it knows.
    _Row("NOT_FOUND", "no available versions", Verdict.RETRY),
    _Row("CANCELLED", "", Verdict.RETRY),
    _Row("NOT_FOUND", "", Verdict.MISSING),
    _Row("INVALID_ARGUMENT", "", Verdict.REFUSED),
    _Row("INTERNAL", "not healthy", Verdict.BREAK),
    _Row("INTERNAL", "stub process", Verdict.BREAK),
    _Row("INTERNAL", "out of memory", Verdict.MEMORY),
    _Row("INTERNAL", "memoryerror", Verdict.MEMORY),
    _Row("INTERNAL", "", Verdict.FAILED),
    _Row("DEADLINE_EXCEEDED", "", Verdict.BREAK),
)


def verdict(code: str, message: str) -> Verdict:
    """Returns what an error means.

    Args:
        code: gRPC status, such as "UNAVAILABLE" or "StatusCode.UNAVAILABLE".
        message: The server's words.
    """
    name, words = code.rpartition(".")[2], message.lower()
    found = (row.verdict for row in _TABLE if row.code == name and row.fragment in words)
    return next(found, Verdict.BREAK)
