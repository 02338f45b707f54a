"""What this service answers when it cannot do what was asked; reasons as in the package's `ErrorReason`.

A message goes to the owner alone. It names the file as its owner did, says what is wrong and what to do.
"""

from typing import Self

from services.chassis.errors import DomainError, Status


class MediaNotFound(DomainError):
    """No media of this name exists for the caller."""

    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"


class UploadNotFound(DomainError):
    """No upload of this name is open for the caller."""

    status = Status.NOT_FOUND
    reason = "UPLOAD_NOT_FOUND"


class UploadOffsetWrong(DomainError):
    """The stream does not begin where the committed bytes end."""

    status = Status.OUT_OF_RANGE
    reason = "UPLOAD_OFFSET_WRONG"


class UploadInProgress(DomainError):
    """Another stream is writing the upload."""

    status = Status.ABORTED
    reason = "UPLOAD_IN_PROGRESS"


class ContentRefused(DomainError):
    """The bytes are not what may be kept: the upload is given up, and what was received of it is deleted."""

    status = Status.INVALID_ARGUMENT

    def about(self, file_name: str) -> Self:
        """Returns the same error with the file named as its owner names it."""
        metadata = {"file_name": file_name, "problem": self.message, **self.metadata}
        return type(self)(f"{file_name or 'the file'}: {self.message}", metadata=metadata)


class ChecksumMismatch(ContentRefused):
    """The bytes do not have the SHA-256 that was announced."""

    status = Status.DATA_LOSS
    reason = "CHECKSUM_MISMATCH"


class SizeMismatch(ContentRefused):
    """More bytes arrived than were announced."""

    reason = "SIZE_MISMATCH"


class MediaEmpty(ContentRefused):
    """The file has no bytes."""

    reason = "MEDIA_EMPTY"


class MediaTooLarge(ContentRefused):
    """The file has more bytes than the service takes."""

    reason = "MEDIA_TOO_LARGE"


class MediaTypeUnsupported(ContentRefused):
    """The content is of no type that the service takes."""

    reason = "MEDIA_TYPE_UNSUPPORTED"


class MediaCorrupt(ContentRefused):
    """The file's structure is broken, or it ends too early."""

    reason = "MEDIA_CORRUPT"


class MediaTooManyPixels(ContentRefused):
    """The picture has more pixels, or a longer side, than the service decodes."""

    reason = "MEDIA_TOO_MANY_PIXELS"


class OutsideWindow(ContentRefused):
    """The media was taken before the window, and OLDER_MEDIA does not reach back to it."""

    status = Status.FAILED_PRECONDITION
    reason = "OUTSIDE_WINDOW"


class QuotaExceeded(DomainError):
    """The person's share of the store is used up."""

    status = Status.RESOURCE_EXHAUSTED
    reason = "QUOTA_EXCEEDED"


class RequestIdReused(DomainError):
    """The request_id was used before for another request."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"
