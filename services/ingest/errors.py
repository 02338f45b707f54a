"""Errors of the service, each with its own sentence; reasons as in the package's `ErrorReason`.

A message goes to the owner alone. It names the file as its owner did, says what is wrong and what to do.
"""

from datetime import datetime
from typing import Self
from uuid import UUID

from services.chassis.errors import DomainError, Status
from services.ingest.domain.devices import device_name
from services.ingest.domain.media import media_name, upload_name


class MediaNotFound(DomainError):
    """No media of this name exists for the caller."""

    status = Status.NOT_FOUND
    reason = "MEDIA_NOT_FOUND"

    @classmethod
    def of(cls, media_id: UUID) -> Self:
        """Return the error for a media that does not exist for the caller."""
        name = media_name(media_id)
        return cls(f"there is no {name}: look at ListMedia for what is kept", metadata={"media": name})


class UploadNotFound(DomainError):
    """No upload of this name is open for the caller."""

    status = Status.NOT_FOUND
    reason = "UPLOAD_NOT_FOUND"

    @classmethod
    def of(cls, upload_id: UUID) -> Self:
        """Return the error for an upload that does not exist for the caller."""
        name = upload_name(upload_id)
        return cls(f"there is no open {name}: start the upload again", metadata={"upload": name})


class UploadComplete(DomainError):
    """The upload is complete: there is a media of it."""

    status = Status.FAILED_PRECONDITION
    reason = "UPLOAD_COMPLETE"

    @classmethod
    def of(cls, upload_id: UUID, media_id: UUID) -> Self:
        """Return the error for an upload that is a media by now."""
        upload, media = upload_name(upload_id), media_name(media_id)
        return cls(f"{upload} is complete: delete {media} instead", metadata={"upload": upload, "media": media})


class UploadOffsetWrong(DomainError):
    """The stream does not begin where the committed bytes end."""

    status = Status.OUT_OF_RANGE
    reason = "UPLOAD_OFFSET_WRONG"

    @classmethod
    def of(cls, upload_id: UUID, *, offset: int, committed_bytes: int) -> Self:
        """Return the error for a stream that begins at `offset`."""
        return cls(
            f"the committed bytes end at {committed_bytes}, not at {offset}: go on from there",
            metadata={"upload": upload_name(upload_id), "committed_size_bytes": str(committed_bytes)},
        )


class UploadTakenOver(DomainError):
    """A newer stream of the upload has taken it over."""

    status = Status.ABORTED
    reason = "UPLOAD_TAKEN_OVER"

    @classmethod
    def of(cls, upload_id: UUID) -> Self:
        """Return the error for the older stream."""
        name = upload_name(upload_id)
        return cls(f"a newer stream of {name} has taken it over: this one ends", metadata={"upload": name})


class ContentRefused(DomainError):
    """The bytes are not what may be kept: the upload is given up, and what was received of it is deleted."""

    status = Status.INVALID_ARGUMENT

    def about(self, file_name: str) -> Self:
        """Return the same error with the file named as its owner names it."""
        metadata = {"file_name": file_name, "problem": self.message, **self.metadata}
        return type(self)(f"{file_name or 'the file'}: {self.message}", metadata=metadata)


class ChecksumMismatch(ContentRefused):
    """The bytes do not have the SHA-256 that was announced."""

    status = Status.DATA_LOSS
    reason = "CHECKSUM_MISMATCH"

    @classmethod
    def of(cls, *, expected: bytes, received: bytes) -> Self:
        """Return the error for a SHA-256 that is not the one expected."""
        return cls(
            "its SHA-256 is not the one announced, so what arrived was deleted: start the upload again",
            metadata={"expected": expected.hex(), "received": received.hex()},
        )


class SizeMismatch(ContentRefused):
    """More bytes arrived than were announced."""

    reason = "SIZE_MISMATCH"

    @classmethod
    def of(cls, announced_bytes: int) -> Self:
        """Return the error for a stream that goes beyond what was announced."""
        return cls(
            f"more than the {announced_bytes} bytes announced arrived: start the upload again",
            metadata={"announced_size_bytes": str(announced_bytes)},
        )


class MediaMissing(DomainError):
    """The bytes of the media were lost."""

    status = Status.DATA_LOSS
    reason = "MEDIA_MISSING"

    @classmethod
    def of(cls, media_id: UUID) -> Self:
        """Return the error for a media whose bytes cannot be read."""
        name = media_name(media_id)
        return cls(f"the bytes of {name} were lost: upload it again, as the plan asks", metadata={"media": name})


class MediaEmpty(ContentRefused):
    """The file has no bytes."""

    reason = "MEDIA_EMPTY"

    @classmethod
    def of(cls) -> Self:
        """Return the error for an empty file."""
        return cls("it has no bytes: send a file that has some")


class MediaTooLarge(ContentRefused):
    """The file has more bytes than the service takes."""

    reason = "MEDIA_TOO_LARGE"

    @classmethod
    def of(cls, size_bytes: int, *, limit_bytes: int) -> Self:
        """Return the error for a file of that many bytes."""
        return cls(
            f"it has {size_bytes} bytes: at most {limit_bytes} are taken",
            metadata={"size_bytes": str(size_bytes), "limit_bytes": str(limit_bytes)},
        )


class MediaTypeUnsupported(ContentRefused):
    """The content is of no type that the service takes."""

    reason = "MEDIA_TYPE_UNSUPPORTED"

    @classmethod
    def of(cls, detected: str) -> Self:
        """Return the error for content that seems to be `detected`, such as "text"."""
        return cls(
            f"its content is {detected}, whatever its name says; JPEG, PNG, WebP, HEIC and AVIF are taken",
            metadata={"detected": detected},
        )


class MediaCorrupt(ContentRefused):
    """The file's structure is broken, or it ends too early."""

    reason = "MEDIA_CORRUPT"

    @classmethod
    def of(cls, problem: str) -> Self:
        """Return the error for a file with this problem."""
        return cls(problem)


class MediaTooManyPixels(ContentRefused):
    """The picture has more pixels, or a longer side, than the service decodes."""

    reason = "MEDIA_TOO_MANY_PIXELS"

    @classmethod
    def of(cls, width: int, height: int, *, max_pixels: int, max_side: int) -> Self:
        """Return the error for a picture of these sides."""
        return cls(
            f"it has {width} x {height} pixels: send at most {max_pixels}, {max_side} a side",
            metadata={
                "width": str(width),
                "height": str(height),
                "limit_pixels": str(max_pixels),
                "limit_side": str(max_side),
            },
        )


class OutsideWindow(ContentRefused):
    """The media was taken before the window, and OLDER_MEDIA does not reach back to it."""

    status = Status.FAILED_PRECONDITION
    reason = "OUTSIDE_WINDOW"

    @classmethod
    def of(cls, window_start: datetime) -> Self:
        """Return the error for a media taken before the window that begins then."""
        return cls(
            "it was taken before the window: let OLDER_MEDIA reach back to it, or leave it on the phone",
            metadata={"window_start_time": window_start.isoformat()},
        )


class QuotaExceeded(DomainError):
    """The person's share of the store is used up."""

    status = Status.RESOURCE_EXHAUSTED
    reason = "QUOTA_EXCEEDED"

    @classmethod
    def of(cls, quota_bytes: int) -> Self:
        """Return the error for a share of that many bytes."""
        return cls(
            f"your share of {quota_bytes} bytes is used up: delete media, or wait until some expire",
            metadata={"quota_bytes": str(quota_bytes)},
        )


class RequestIdReused(DomainError):
    """The request_id was used before for another request."""

    status = Status.ALREADY_EXISTS
    reason = "REQUEST_ID_REUSED"

    @classmethod
    def of(cls, request_id: UUID) -> Self:
        """Return the error for a request_id that another request bore."""
        return cls(
            "request_id was used for another request: make a new UUID for each",
            metadata={"request_id": str(request_id)},
        )


class DeviceNotFound(DomainError):
    """No device of this name is registered for the caller."""

    status = Status.NOT_FOUND
    reason = "DEVICE_NOT_FOUND"

    @classmethod
    def of(cls, device_id: UUID) -> Self:
        """Return the error for a device that does not exist for the caller."""
        name = device_name(device_id)
        return cls(f"there is no {name}: register it first", metadata={"device": name})


class DeviceRevoked(DomainError):
    """The owner of the device revoked it."""

    status = Status.FAILED_PRECONDITION
    reason = "DEVICE_REVOKED"

    @classmethod
    def of(cls, device_id: UUID) -> Self:
        """Return the error for a device that was revoked."""
        name = device_name(device_id)
        return cls(f"its owner revoked {name}: register under a new name if that is wanted", metadata={"device": name})


class TooManyDevices(DomainError):
    """The caller has as many devices as are kept."""

    status = Status.RESOURCE_EXHAUSTED
    reason = "TOO_MANY_DEVICES"

    @classmethod
    def of(cls, limit: int) -> Self:
        """Return the error for a device that is one too many."""
        too_many = f"{limit} devices are registered, or ten times as many with those that were revoked"
        return cls(f"{too_many}: revoke one that is no longer used", metadata={"limit": str(limit)})
