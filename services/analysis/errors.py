"""Errors of the analysis service: answers to callers, and failures between the worker and what it works with."""

from datetime import timedelta
from typing import Self
from uuid import UUID

from inference.client.errors import (
    ModelAnswerBroken,
    ModelBusy,
    ModelFault,
    ModelMissing,
    ModelUnavailable,
    TensorRefused,
)
from services.analysis.domain.media import MEDIA_PREFIX, ParkedReason
from services.chassis.errors import DependencyUnavailable, DomainError, Status

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
    "inference_unavailable",
]

PREVIEW_DELAY = timedelta(seconds=1)
_INFERENCE_SERVER = "inference-server"


class MediaNotFound(DomainError):
    """No media of this name exists for the caller."""

    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"

    @classmethod
    def of(cls, media: UUID) -> Self:
        """Return the error for a media that does not exist for the caller, or can no longer be opened."""
        name = f"{MEDIA_PREFIX}{media}"
        return cls(f"{name} does not exist", metadata={"media": name})


class PreviewNotReady(DomainError):
    """The media still waits to be analysed."""

    status = Status.UNAVAILABLE
    reason = "PREVIEW_NOT_READY"

    @classmethod
    def of(cls, media: UUID) -> Self:
        """Return the error for a media that is still analysed, with when to call again."""
        name = f"{MEDIA_PREFIX}{media}"
        return cls(f"{name} is still being analysed: call again", metadata={"media": name}, retry_after=PREVIEW_DELAY)


class MediaParked(DomainError):
    """The media could not be analysed and has no preview."""

    status = Status.FAILED_PRECONDITION
    reason = "MEDIA_PARKED"

    @classmethod
    def of(cls, media: UUID, reason: ParkedReason) -> Self:
        """Return the error for a media that is parked, with why."""
        name = f"{MEDIA_PREFIX}{media}"
        return cls(
            f"{name} could not be analysed ({reason}); it can be deleted",
            metadata={"media": name, "parked_reason": reason},
        )


class PictureUnusable(Exception):
    """A picture will never be analysed as it is.

    Attributes:
        reason: Why it is parked.
        detail: What is wrong, for its owner.
    """

    def __init__(self, reason: ParkedReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

    @classmethod
    def corrupt(cls, detail: str) -> Self:
        """Return the error for a file that is broken, with what of it is."""
        return cls(ParkedReason.CORRUPT, f"{detail}; send an intact copy")

    @classmethod
    def too_large(cls, size: tuple[int, int], *, pixels: int, side: int) -> Self:
        """Return the error for a file of a size in pixels that is beyond the limits."""
        width, height = size
        return cls(
            ParkedReason.TOO_MANY_PIXELS,
            f"it has {width} x {height} pixels; at most {pixels:,} are decoded, {side:,} on a side",
        )


def inference_unavailable(fault: ModelFault) -> DependencyUnavailable:
    """Return what a caller is told of a model that failed: whatever its fault is, it is as good as down."""
    if not isinstance(fault, ModelUnavailable):
        return DependencyUnavailable.of(_INFERENCE_SERVER)
    return DependencyUnavailable(
        f"{_INFERENCE_SERVER} does not answer: call again",
        metadata={"dependency": _INFERENCE_SERVER},
        retry_after=fault.retry_after,
    )
