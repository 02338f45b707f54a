"""What can go wrong: answers to callers (domain errors), and failures between the worker and what it works with."""

from datetime import timedelta

from services.analysis.domain import ParkedReason
from services.chassis.errors import DomainError, Status


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


class ModelFault(Exception):
    """A model gave no usable answer.

    Attributes:
        model: Its name.
    """

    def __init__(self, model: str, message: str) -> None:
        super().__init__(f"{model}: {message}")
        self.model = model


class ModelUnavailable(ModelFault):
    """The server does not answer now; the same request may work later.

    Attributes:
        retry_after: When it makes sense to ask again.
    """

    def __init__(self, model: str, message: str, retry_after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(model, message)
        self.retry_after = retry_after


class ModelBusy(ModelUnavailable):
    """As many requests as the model may have are in flight (RESOURCE_EXHAUSTED): go on later."""


class ModelAnswerBroken(ModelFault):
    """The answer has the wrong shape, or numbers that are none."""


class TensorRefused(ModelFault):
    """The model refuses this input, now and later (INVALID_ARGUMENT)."""


class ModelMissing(ModelFault):
    """The server does not know the model (NOT_FOUND): it runs with the wrong repository, somebody must look."""
