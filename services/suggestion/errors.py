"""Why the suggestion service refuses."""

from services.chassis.errors import DomainError, Status


class SuggestionNotFound(DomainError):
    """There is no such suggestion for the caller: never, not theirs, or gone."""

    status = Status.NOT_FOUND
    reason = "SUGGESTION_NOT_FOUND"


class RenditionNotFound(DomainError):
    """The suggestion has no such rendition."""

    status = Status.NOT_FOUND
    reason = "RENDITION_NOT_FOUND"


class StateNotAllowed(DomainError):
    """The life cycle does not lead from where the suggestion stands to what was asked for."""

    status = Status.FAILED_PRECONDITION
    reason = "STATE_NOT_ALLOWED"


class LocaleUnknown(DomainError):
    """No titles exist in the language."""

    status = Status.INVALID_ARGUMENT
    reason = "LOCALE_UNKNOWN"


class RequestIdReused(DomainError):
    """The request id stands for another request."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"
