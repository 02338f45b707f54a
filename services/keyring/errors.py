"""Errors of the keyring: why a key is not to be had. Callers stop the work; they never go on without the seal."""

from services.chassis.errors import DomainError, Status


class PurposeNotGranted(DomainError):
    """The person has no key for this purpose: never granted, withdrawn, expired or erased."""

    status = Status.FAILED_PRECONDITION
    reason = "PURPOSE_NOT_GRANTED"


class MediaErased(DomainError):
    """A media that the artefact derives from was erased or has passed its deadline."""

    status = Status.NOT_FOUND
    reason = "MEDIA_ERASED"


class GrantStale(DomainError):
    """A later decision about this purpose is known already (retention's REVISION_STALE)."""

    status = Status.ABORTED
    reason = "REVISION_STALE"


class PersonErased(DomainError):
    """The decision was made before the person was erased (retention's SUBJECT_ERASED)."""

    status = Status.FAILED_PRECONDITION
    reason = "SUBJECT_ERASED"


class NothingToErase(DomainError):
    """Nothing of the person's is kept for this media (retention's MEDIA_NOT_FOUND)."""

    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"


class RequestIdReused(DomainError):
    """The request id belongs to another request (retention's REQUEST_ID_REUSED)."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"
