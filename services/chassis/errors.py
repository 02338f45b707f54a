"""Domain errors: each knows its own status and reason, and none knows about gRPC.

The error-mapping interceptor turns them into `google.rpc.ErrorInfo`, `BadRequest` and `RetryInfo`
(https://google.aip.dev/193). A message names the field or file, what is wrong and what to do; it holds no
personal data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Self


class Status(StrEnum):
    """The canonical status codes that a service may answer with."""

    CANCELLED = "CANCELLED"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    FAILED_PRECONDITION = "FAILED_PRECONDITION"
    ABORTED = "ABORTED"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    DATA_LOSS = "DATA_LOSS"
    UNAUTHENTICATED = "UNAUTHENTICATED"


@dataclass(frozen=True)
class FieldViolation:
    """One field of a request that is wrong.

    Attributes:
        field: Path of the field as the caller wrote it, such as `items[3].sha256`.
        description: What is wrong and what to send instead.
    """

    field: str
    description: str


@dataclass(frozen=True)
class QuotaViolation:
    """What of a share is used up.

    Attributes:
        subject: Whose share, in one word that names no person: `caller`, `connection`.
        description: How much the share is, and what to do.
    """

    subject: str
    description: str


_RETRY_AFTER = timedelta(seconds=1)
_RETRY_WHEN_FULL = timedelta(seconds=30)


class DomainError(Exception):
    """A failure that the caller can understand and act on.

    Subclasses set `status` and `reason`; `reason` is the name of a value of the package's `ErrorReason`
    without its `ERROR_REASON_` prefix.
    """

    status: ClassVar[Status]
    reason: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after: timedelta | None = None,
        quota: QuotaViolation | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after
        self.quota = quota


class FieldInvalid(DomainError):
    """One or more fields of the request are missing, malformed or out of bounds."""

    status = Status.INVALID_ARGUMENT
    reason = "FIELD_INVALID"

    @classmethod
    def of(cls, field: str, description: str) -> Self:
        """Return the error for one field, with what to send instead."""
        return cls.all((FieldViolation(field, description),))

    @classmethod
    def all(cls, violations: Sequence[FieldViolation]) -> Self:
        """Return the error for every field of a request that is wrong."""
        return cls("; ".join(f"{each.field}: {each.description}" for each in violations), violations=violations)


class TokenMissing(DomainError):
    """The call carries no identity at all."""

    status = Status.UNAUTHENTICATED
    reason = "TOKEN_MISSING"


class TokenInvalid(DomainError):
    """The token is not one that this deployment issued."""

    status = Status.UNAUTHENTICATED
    reason = "TOKEN_INVALID"


class TokenExpired(DomainError):
    """The token was good once."""

    status = Status.UNAUTHENTICATED
    reason = "TOKEN_EXPIRED"


class CallerNotAllowed(DomainError):
    """The caller is known, and this call is not for it."""

    status = Status.PERMISSION_DENIED
    reason = "CALLER_NOT_ALLOWED"


class DeadlineExceeded(DomainError):
    """The caller's time is up before the work is done."""

    status = Status.DEADLINE_EXCEEDED
    reason = "DEADLINE_EXCEEDED"


class MessageTooLarge(DomainError):
    """A message of the call has more bytes than a service takes."""

    status = Status.RESOURCE_EXHAUSTED
    reason = "MESSAGE_TOO_LARGE"

    @classmethod
    def of(cls, size: int, limit: int) -> Self:
        """Return the error for a message of a size, in bytes."""
        return cls(
            f"a message has {size} bytes, more than {limit}: send chunks of at most 1 MiB, or fewer items a call",
            metadata={"limit_bytes": str(limit)},
        )


class LimitReached(DomainError):
    """The caller has its share of the service in work already, or asks for it too fast."""

    status = Status.RESOURCE_EXHAUSTED
    reason = "LIMIT_REACHED"

    @classmethod
    def of(cls, whose: str, what: str, most: float, retry_after: timedelta = _RETRY_AFTER) -> Self:
        """Return the error for a share, such as 64 calls at once of a caller."""
        description = f"at most {most:g} {what}: wait for the retry delay, and call again with fewer at a time"
        return cls(
            f"the {whose} has its share: {description}",
            metadata={"limit": what, "most": f"{most:g}"},
            retry_after=retry_after,
            quota=QuotaViolation(whose, description),
        )


class InternalError(DomainError):
    """A fault of the service; the log has the details, the caller does not."""

    status = Status.INTERNAL
    reason = "INTERNAL"


class DependencyUnavailable(DomainError):
    """A store, the bus or another service does not answer; the same call may work later."""

    status = Status.UNAVAILABLE
    reason = "DEPENDENCY_UNAVAILABLE"

    @classmethod
    def of(cls, dependency: str) -> Self:
        """Return the error for a server that does not answer, such as `object-store` or `retention`."""
        return cls(
            f"{dependency} does not answer: call again",
            metadata={"dependency": dependency},
            retry_after=_RETRY_AFTER,
        )


class StorageFull(DomainError):
    """The stores have no room left; the same call may work once there is some."""

    status = Status.UNAVAILABLE
    reason = "STORAGE_FULL"

    @classmethod
    def now(cls) -> Self:
        """Return the error for as long as there is no room."""
        return cls(
            "the disk is full, and nothing more is taken until there is room: call again later",
            retry_after=_RETRY_WHEN_FULL,
        )


CHASSIS_ERRORS: tuple[type[DomainError], ...] = (
    FieldInvalid,
    TokenMissing,
    TokenInvalid,
    TokenExpired,
    CallerNotAllowed,
    DeadlineExceeded,
    InternalError,
    DependencyUnavailable,
    MessageTooLarge,
    LimitReached,
    StorageFull,
)
"""What every service can answer with, whatever it does itself."""
