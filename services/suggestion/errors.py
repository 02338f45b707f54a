"""Errors of the suggestion service; reasons as in the package's `ErrorReason`."""

from typing import Self
from uuid import UUID

from services.chassis.errors import DomainError, Status

_PARTICIPLES = {"save": "saved", "dismiss": "dismissed", "restore": "restored"}


class SuggestionNotFound(DomainError):
    """There is no such suggestion for the caller: never, not theirs, or gone."""

    status = Status.NOT_FOUND
    reason = "SUGGESTION_NOT_FOUND"

    @classmethod
    def of(cls, suggestion_id: UUID) -> Self:
        """Return the error for a suggestion."""
        name = f"suggestions/{suggestion_id}"
        return cls(f"there is no suggestion {name}; list yours with ListSuggestions", metadata={"suggestion": name})


class RenditionNotFound(DomainError):
    """The suggestion has no such rendition."""

    status = Status.NOT_FOUND
    reason = "RENDITION_NOT_FOUND"

    @classmethod
    def of(cls, suggestion_id: UUID, number: int) -> Self:
        """Return the error for a rendition of a suggestion."""
        name = f"suggestions/{suggestion_id}/renditions/{number}"
        return cls(f"there is no rendition {name}; see the suggestion's renditions", metadata={"rendition": name})


class StateNotAllowed(DomainError):
    """The life cycle does not lead from where the suggestion stands to what was asked for."""

    status = Status.FAILED_PRECONDITION
    reason = "STATE_NOT_ALLOWED"

    @classmethod
    def of(cls, state: str, decision: str) -> Self:
        """Return the error for a decision that the state does not allow."""
        done = _PARTICIPLES.get(decision, decision)
        return cls(
            f"a suggestion that is {state} cannot be {done}: read its state again with GetSuggestion",
            metadata={"state": state, "decision": decision},
        )


class RequestIdReused(DomainError):
    """The request id stands for another request."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"

    @classmethod
    def of(cls, request_id: UUID) -> Self:
        """Return the error for a request id that was used before."""
        return cls(
            "this request_id was used for another request: make a new one for each request",
            metadata={"request_id": str(request_id)},
        )
