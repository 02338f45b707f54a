"""Settings of the ingest service, read once from the environment (prefix `PELLICULE_`)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from services.chassis.settings import (
    ObjectStoreSettings,
    ProcessSettings,
    RetentionClientSettings,
)
from services.ingest.domain.limits import Limits
from services.ingest.domain.policy import Policy
from services.journal.settings import JournalSettings

_BACKSTOP_AFTER_DAYS = 2


class Settings(ProcessSettings, ObjectStoreSettings, RetentionClientSettings, JournalSettings):
    """What the ingest service needs to know."""

    window_days: Annotated[int, Field(ge=1)] = 30
    """Length of the rolling window; what was taken before it needs OLDER_MEDIA."""
    window_tolerance_hours: Annotated[float, Field(ge=0, le=48)] = 15.0
    """What a phone's clock and time zone may differ by: a zone is up to 14 hours from UTC."""
    retention_days: Annotated[int, Field(ge=1)] = 30
    """How long a media is kept; the retention service has a limit of its own."""
    upload_hours: Annotated[float, Field(gt=0)] = 24.0
    """How long an upload may take."""
    upload_commit_seconds: Annotated[float, Field(gt=0, lt=1)] = 0.75
    """After how long what a stream brought is committed, however little it is; the contract says within a second."""
    upload_idle_seconds: Annotated[float, Field(gt=0)] = 30.0
    """How long a stream may be silent before what it brought is committed and it ends."""
    quota_bytes: Annotated[int, Field(gt=0)] = 10 * 1024**3
    """A person's share of the store."""
    max_media_bytes: Annotated[int, Field(gt=0)] = 100 * 1024**2
    """Of one file."""
    max_media_pixels: Annotated[int, Field(gt=0)] = 100_000_000
    """Of one picture."""
    max_media_side: Annotated[int, Field(gt=0)] = 16_384
    """Of one picture, in pixels."""
    segment_bytes: Annotated[int, Field(ge=1024**2)] = 8 * 1024**2
    """Sealed bytes of one stream held in memory before they go into the store."""
    upload_memory_bytes: Annotated[int, Field(ge=8 * 1024**2)] = 256 * 1024**2
    """Bytes of uploads under way that the process holds in memory."""
    caller_upload_memory_bytes: Annotated[int, Field(ge=4 * 1024**2)] = 64 * 1024**2
    """Of these what one person's uploads may hold."""
    caller_uploads_per_day: Annotated[int, Field(ge=1)] = 50_000
    """What one person may begin a day, files included that are kept already: each is a row."""
    upload_floor_bytes: Annotated[int, Field(ge=0)] = 65_536
    """What a stream of an upload brings each minute at least; one that is slower is ended, and what came is kept."""
    reduced_long_side: Annotated[int, Field(ge=1)] = 2048
    """In pixels; of what is larger a reduced copy is asked for."""
    orphan_grace_minutes: Annotated[float, Field(gt=0)] = 60.0
    """How long an object that no row names may lie in the bucket before it is removed."""

    @property
    def policy(self) -> Policy:
        """The rules that these settings make."""
        return Policy(
            window=timedelta(days=self.window_days),
            tolerance=timedelta(hours=self.window_tolerance_hours),
            retention=timedelta(days=self.retention_days),
            upload_life=timedelta(hours=self.upload_hours),
            commit_seconds=self.upload_commit_seconds,
            idle_seconds=self.upload_idle_seconds,
            quota_bytes=self.quota_bytes,
            max_bytes=self.max_media_bytes,
            limits=Limits(max_pixels=self.max_media_pixels, max_side=self.max_media_side),
            segment_bytes=self.segment_bytes,
            floor_bytes=self.upload_floor_bytes,
            reduced_long_side=self.reduced_long_side,
        )

    @property
    def backstop_days(self) -> int:
        """Age in days at which the bucket itself deletes an object; whatever is hit by it is an alarm."""
        return self.retention_days + _BACKSTOP_AFTER_DAYS
