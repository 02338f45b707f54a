"""Refusals of the retention service; `pellicule.retention.v1.ErrorReason` is their manual."""

from datetime import datetime

from services.chassis.errors import DomainError, Status
from services.retention.domain import Purpose


class PurposeNotGranted(DomainError):
    """The person has no key for this purpose."""

    status = Status.FAILED_PRECONDITION
    reason = "PURPOSE_NOT_GRANTED"

    def __init__(self, purpose: Purpose) -> None:
        super().__init__(
            f"the person has no key for {purpose}: never granted, withdrawn or expired; ask for consent first",
            metadata={"purpose": purpose},
        )


class RevisionStale(DomainError):
    """A later decision about the purpose is known."""

    status = Status.ABORTED
    reason = "REVISION_STALE"

    def __init__(self, purpose: Purpose, *, revision: int, current: int) -> None:
        super().__init__(
            f"revision {revision} of {purpose} is not later than {current}: read the person's state again",
            metadata={"purpose": purpose, "revision": str(revision), "current": str(current)},
        )


class DeadlineNotShorter(DomainError):
    """A delete-by time can only be brought forward."""

    status = Status.FAILED_PRECONDITION
    reason = "DEADLINE_NOT_SHORTER"

    def __init__(self, present: datetime) -> None:
        super().__init__(
            f"delete_time: it can only be brought forward, and is {present.isoformat()} now",
            metadata={"delete_time": present.isoformat()},
        )


class DeadlineTooFar(DomainError):
    """A delete-by time lies in the past or beyond the longest retention."""

    status = Status.INVALID_ARGUMENT
    reason = "DEADLINE_TOO_FAR"

    def __init__(self, field: str, longest_days: int) -> None:
        super().__init__(
            f"{field}: choose a time from now to {longest_days} days ahead",
            metadata={"field": field, "longest_days": str(longest_days)},
        )


class ErasureNotFound(DomainError):
    """The caller has no erasure of this name."""

    status = Status.NOT_FOUND
    reason = "ERASURE_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: no such erasure; list yours with ListErasures", metadata={"erasure": name})


class MediaNotFound(DomainError):
    """Nothing of the caller's is kept for this media."""

    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"

    def __init__(self, media: str) -> None:
        super().__init__(f"{media}: nothing of yours is kept for this media", metadata={"media": media})


class MediaErased(DomainError):
    """A media in the lineage was erased or has passed its deadline."""

    status = Status.NOT_FOUND
    reason = "MEDIA_ERASED"

    def __init__(self, media: str) -> None:
        super().__init__(f"{media}: erased or past its deadline, nothing may derive from it", metadata={"media": media})


class PurgeOrderNotFound(DomainError):
    """No order of this name is addressed to the caller."""

    status = Status.NOT_FOUND
    reason = "PURGE_ORDER_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: no such order for this service", metadata={"purge_order": name})


class SubjectErased(DomainError):
    """The person was erased after they decided."""

    status = Status.FAILED_PRECONDITION
    reason = "SUBJECT_ERASED"

    def __init__(self) -> None:
        super().__init__("the person was erased after this decision: it counts no more, a new one starts afresh")


class RequestIdReused(DomainError):
    """The request id belongs to another request."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"request_id: {request_id} was used for another erasure; choose a new UUID",
            metadata={"request_id": request_id},
        )
