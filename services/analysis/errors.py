"""What can go wrong: answers to callers (domain errors), and failures between the worker and what it works with."""

from inference.client.errors import (
    ModelAnswerBroken,
    ModelBusy,
    ModelFault,
    ModelMissing,
    ModelUnavailable,
    TensorRefused,
)
from services.analysis.domain import ParkedReason
from services.chassis.errors import DomainError, Status

__all__ = [
    "MediaNotFound",
    "MediaParked",
    "ModelAnswerBroken",
    "ModelBusy",
    "ModelFault",
    "ModelMissing",
    "ModelUnavailable",
    "PictureUnusable",
    "PreviewNotReady",
    "TensorRefused",
    "ViewNotAllowed",
]


class MediaNotFound(DomainError):
    """No media of this name exists for the caller."""

    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"


class PreviewNotReady(DomainError):
    """The media still waits to be analysed."""

    status = Status.UNAVAILABLE
    reason = "PREVIEW_NOT_READY"


class MediaParked(DomainError):
    """The media could not be analysed and has no preview."""

    status = Status.FAILED_PRECONDITION
    reason = "MEDIA_PARKED"


class ViewNotAllowed(DomainError):
    """The full view is for services only."""

    status = Status.PERMISSION_DENIED
    reason = "VIEW_NOT_ALLOWED"


class PictureUnusable(Exception):
    """A picture will never be understood as it is.

    Attributes:
        reason: Why it is parked.
        detail: What is wrong, for its owner.
    """

    def __init__(self, reason: ParkedReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
