"""What the use cases work with, put together once, and the rules that the settings give them."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from services.chassis.clock import Clock
from services.chassis.errors import DomainError
from services.chassis.events import OutgoingEvent
from services.chassis.object_store import ObjectStore
from services.ingest.capture import Window
from services.ingest.content.picture import Limits
from services.ingest.domain import MediaMetadata
from services.ingest.key_pool import KeyPool
from services.ingest.lookup import LookupKeys
from services.ingest.ports import MediaTable, Uploads, WriterLocks
from services.ingest.records import MediaRow, Segment
from services.ingest.selection import SelectionRules
from services.keyring import Keyring

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Policy:
    """What is taken in, and for how long.

    Attributes:
        window: Length of the rolling window.
        tolerance: What clocks and time zones may differ by.
        retention: How long a media is kept.
        upload_life: How long an upload may take.
        idle_seconds: How long a stream may be silent before what it brought is committed and it ends.
        quota_bytes: A person's share of the store.
        max_bytes: Of one file.
        limits: Of one picture.
        segment_bytes: Sealed bytes held in memory before they are put into the store.
        preview_long_side: In pixels; what is larger is wanted as a reduced copy.
    """

    window: timedelta = timedelta(days=30)
    tolerance: timedelta = timedelta(hours=15)
    retention: timedelta = timedelta(days=30)
    upload_life: timedelta = timedelta(hours=24)
    idle_seconds: float = 30.0
    quota_bytes: int = 10 * 1024**3
    max_bytes: int = 100 * 1024**2
    limits: Limits = field(default_factory=lambda: Limits(max_pixels=100_000_000, max_side=16_384))
    segment_bytes: int = 8 * 1024**2
    preview_long_side: int = 2048

    def window_at(self, now: datetime) -> Window:
        """Returns the rolling window at a moment of the server's clock."""
        return Window.at(now, self.window, self.tolerance)

    @property
    def selection(self) -> SelectionRules:
        """The rules of the plan."""
        return SelectionRules(
            preview_long_side=self.preview_long_side,
            max_bytes=self.max_bytes,
            max_pixels=self.limits.max_pixels,
            max_side=self.limits.max_side,
            window=self.window,
        )


class Codec(Protocol):
    """How what this service says to others is written; the contract's messages."""

    def encode_metadata(self, metadata: MediaMetadata) -> bytes:
        """Returns metadata in the form in which it is sealed."""

    def decode_metadata(self, data: bytes) -> MediaMetadata:
        """Reads what `encode_metadata` wrote."""

    def media_stored(self, media: MediaRow, segments: Sequence[Segment]) -> OutgoingEvent:
        """Returns the event that tells of a media."""


class Aftermath:
    """Work that goes on after its call has ended: what a broken stream brought is saved, a lock is given back."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Begins work that need not be waited for."""
        task = asyncio.create_task(_noting_failure(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """Waits for all of it; called before the stores are closed."""
        while self._tasks:
            await asyncio.wait(self._tasks)


async def _noting_failure(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except DomainError as error:
        _log.warning("aftermath_failed", reason=error.reason, exc_info=error)


@dataclass(frozen=True)
class Intake:
    """The stores, keys and rules of the service."""

    uploads: Uploads
    media: MediaTable
    lookup: LookupKeys
    keys: KeyPool
    locks: WriterLocks
    keyring: Keyring
    objects: ObjectStore
    codec: Codec
    clock: Clock
    policy: Policy = field(default_factory=Policy)
    aftermath: Aftermath = field(default_factory=Aftermath)
