"""Lists of media: which of them, and in which order."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from services.ingest.domain.media import Media, MediaForm, MediaMetadata, PageStart

_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)


class MediaOrder(StrEnum):
    """By which time a list goes, as the contract words it."""

    NEWEST_UPLOAD = "upload_time desc"
    OLDEST_UPLOAD = "upload_time"
    NEWEST_CAPTURE = "capture_time desc"
    OLDEST_CAPTURE = "capture_time"

    @property
    def is_by_capture(self) -> bool:
        """Whether it goes by when a media was taken, which only its sealed metadata tells."""
        return self in (MediaOrder.NEWEST_CAPTURE, MediaOrder.OLDEST_CAPTURE)

    @property
    def is_newest_first(self) -> bool:
        """Whether the latest time comes first."""
        return self in (MediaOrder.NEWEST_UPLOAD, MediaOrder.NEWEST_CAPTURE)

    def place(self, media: Media) -> PageStart:
        """Return where a media stands; one of which it is not known when it was taken counts as the oldest."""
        time = media.metadata.capture_time or _BEFORE_ALL if self.is_by_capture else media.upload_time
        return PageStart(time, media.id)

    def is_behind(self, media: Media, after: PageStart | None) -> bool:
        """Tell whether a media stands behind a place; behind none stand all."""
        if after is None:
            return True
        return self.place(media) < after if self.is_newest_first else self.place(media) > after


@dataclass(frozen=True)
class MediaFilter:
    """Which media are listed; what is None does not narrow.

    Attributes:
        favorite: Whether its owner marked it.
        hidden: Whether its owner hid it.
        screenshot: Whether it is a screenshot.
        capture_start: Taken at this time or later.
        capture_end: Taken before this time.
        form: Kept in this form.
    """

    favorite: bool | None = None
    hidden: bool | None = False
    screenshot: bool | None = None
    capture_start: datetime | None = None
    capture_end: datetime | None = None
    form: MediaForm | None = None

    def takes(self, metadata: MediaMetadata) -> bool:
        """Tell whether a media is listed."""
        wanted = {name: getattr(self, name) for name in ("favorite", "hidden", "screenshot", "form")}
        return self._holds(metadata.capture_time) and all(
            value is None or value == getattr(metadata, name) for name, value in wanted.items()
        )

    def _holds(self, capture_time: datetime | None) -> bool:
        if self.capture_start is None and self.capture_end is None:
            return True
        return capture_time is not None and (
            (self.capture_start is None or self.capture_start <= capture_time)
            and (self.capture_end is None or capture_time < self.capture_end)
        )


@dataclass(frozen=True)
class MediaQuery:
    """Which media are listed, in which order."""

    wanted: MediaFilter = field(default_factory=MediaFilter)
    order: MediaOrder = MediaOrder.NEWEST_UPLOAD
