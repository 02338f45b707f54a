"""The ingest service's use cases on fakes: what a phone does to them, in as few words as possible."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from services.chassis.changes.feed import ChangeFeed
from services.chassis.limits.allowance import DailyAllowance
from services.chassis.orphans import OrphanSweep
from services.ingest.domain.media import BUCKET, Announcement, Asset, MediaForm, PageStart
from services.ingest.domain.policy import Policy
from services.ingest.operations.background import BackgroundWork
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.inspection import Inspection
from services.ingest.operations.key_pool import KeyPool
from services.ingest.operations.list_media import list_media
from services.ingest.operations.lookup_keys import LookupKeys
from services.ingest.operations.purge import execute
from services.ingest.operations.receive_upload import receive, start_and_receive
from services.ingest.operations.start_upload import start_upload
from services.ingest.operations.sweep import Sweep
from services.ingest.operations.upload_transfer import Received
from services.ingest.translation.codec import ProtoCodec
from services.keyring import (
    DataKey,
    DataKeyScope,
    Erasure,
    ErasureState,
    NewDataKey,
    PurgeCause,
    PurgeOrder,
    PurgeScope,
    Purpose,
    PurposeScope,
)
from services.keyring.errors import NothingToErase
from tests.fakes.change_feed import FakeChangeStore, FakeWakes
from tests.fakes.clock import FakeClock
from tests.fakes.ingest import (
    FakeDevices,
    FakeLookupKeys,
    FakeMedia,
    FakeMissing,
    FakePurge,
    FakeRequests,
    FakeSweepTables,
    FakeUploads,
    MediaRows,
    Tables,
)
from tests.fakes.keyring import FakeKeyring
from tests.fakes.object_store import FakeObjectStore
from tests.fakes.set_aside import FakeSetAside
from tests.fakes.walks import FakeWalks
from tests.unit.ingest.pictures import picture

ALICE, BOB = "a" * 32, "b" * 32


class WatchedKeyring(FakeKeyring):
    """A keyring that shows which keys its service has."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.alive: set[str] = set()

    async def create(self, *, subject: str, purpose: str, keys: Sequence[NewDataKey]) -> list[DataKey]:
        created = await super().create(subject=subject, purpose=purpose, keys=keys)
        self.alive |= {key.id for key in created}
        return created

    async def destroy(self, *, subject: str, ids: Sequence[str]) -> int:
        self.alive -= set(ids)
        return await super().destroy(subject=subject, ids=ids)


@dataclass
class Harness:
    """Everything that a use case touches."""

    clock: FakeClock = field(default_factory=FakeClock)
    objects: FakeObjectStore = field(default_factory=FakeObjectStore)
    tables: Tables = field(default_factory=Tables)
    background: BackgroundWork = field(default_factory=BackgroundWork)
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.keyring = WatchedKeyring(self.clock)
        self.wakes = FakeWakes()
        self.changes = self.tables.changes = FakeChangeStore(self.clock, self.wakes)
        self.tables.media = MediaRows(self.changes)
        self.dependencies = Dependencies(
            uploads=FakeUploads(self.tables),
            media=FakeMedia(self.tables),
            missing=FakeMissing(self.tables),
            devices=FakeDevices(self.tables),
            requests=FakeRequests(self.tables),
            lookup_keys=LookupKeys(
                FakeLookupKeys(self.tables), self.keyring, self.clock, self.policy.retention, self.background
            ),
            key_pool=KeyPool(self.keyring, self.clock, self.policy.retention),
            keyring=self.keyring,
            erasures=self,
            objects=self.objects,
            change_feed=ChangeFeed(self.changes, self.wakes, self.clock, "WatchMedia"),
            wakes=self.wakes,
            codec=ProtoCodec(),
            clock=self.clock,
            uploads_a_day=DailyAllowance("uploads", 10_000, self.clock),
            policy=self.policy,
            background=self.background,
        )
        self.set_aside, self.sweep_tables = FakeSetAside(), FakeSweepTables(self.tables)
        self.inspection = Inspection(self.dependencies.missing, self.objects, self.clock)
        self.sweep = Sweep(
            uploads=self.dependencies.uploads,
            tables=self.sweep_tables,
            objects=self.objects,
            keyring=self.keyring,
            clock=self.clock,
            set_aside=self.set_aside,
            deletions_kept=self.policy.retention,
        )
        self.orphans = OrphanSweep(
            objects=self.objects,
            bucket=BUCKET,
            unknown=self.sweep_tables.unknown_objects,
            walks=FakeWalks(),
            clock=self.clock,
            grace=timedelta(hours=1),
            backstop=timedelta(days=32),
        )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def start(self, announcement: Announcement, *, subject: str = ALICE, request_id: UUID | None = None) -> UUID:
        upload = await start_upload(
            self.dependencies, subject=subject, request_id=request_id or uuid4(), announcement=announcement
        )
        return upload.id

    async def send(self, upload_id: UUID, *chunks: bytes, offset: int = 0, subject: str = ALICE) -> Received:
        received = await receive(
            self.dependencies, subject=subject, upload_id=upload_id, offset=offset, chunks=stream(*chunks)
        )
        await self.dependencies.background.finish()
        return received

    async def upload(self, announcement: Announcement, content: bytes, *, subject: str = ALICE) -> Received:
        """Start an upload and send everything, in one go."""
        received = await start_and_receive(
            self.dependencies,
            subject=subject,
            request_id=uuid4(),
            announcement=announcement,
            chunks=stream(*pieces(content)),
        )
        await self.dependencies.background.finish()
        return received

    async def keep(self, content: bytes | None = None, *, subject: str = ALICE, **changes: object) -> UUID:
        """Upload a picture and return the id of its media."""
        content = picture() if content is None else content
        received = await self.upload(announce(self.now, content, **changes), content, subject=subject)
        assert received.media is not None
        return received.media.id

    async def purge(self, scope: PurgeScope, cause: PurgeCause, subject: str = ALICE) -> dict[str, int]:
        order = PurgeOrder(f"purgeOrders/{uuid4()}", subject, cause, scope, self.now)
        return dict(await execute(order, tables=FakePurge(self.tables), objects=self.objects))

    async def withdraw(self, purpose: Purpose, subject: str = ALICE) -> None:
        """Destroys a purpose's key and carries out the order that follows."""
        revision = self.keyring.destroy_purpose(subject, purpose)
        assert revision is not None
        await self.purge(PurposeScope(purpose, revision), PurgeCause.WITHDRAWAL, subject)

    async def erase_media(self, *, subject: str, media: str, request_id: UUID) -> Erasure:
        """Do what the retention service does, the purge order included."""
        ids = self.keyring.destroy_media(subject, media)
        if not ids:
            raise NothingToErase("nothing is kept for this media")
        await self.purge(DataKeyScope(tuple(ids)), PurgeCause.ERASURE, subject)
        return Erasure(f"erasures/{request_id}", media, ErasureState.KEYS_DESTROYED, self.now, self.now)

    @property
    def object_names(self) -> set[str]:
        return {name for _, name in self.objects.objects}


def asset(now: datetime, content: bytes, **changes: object) -> Asset:
    described = Asset(
        client_id=uuid4().hex,
        sha256=hashlib.sha256(content).digest(),
        capture_time=now - timedelta(days=2),
        size_bytes=len(content),
        content_type="image/jpeg",
        file_name="IMG_0001.jpg",
    )
    return replace(described, **changes)  # type: ignore[arg-type]


def announce(now: datetime, content: bytes, **changes: object) -> Announcement:
    """Announces the original of a file."""
    described = asset(now, content, **changes)
    return Announcement(described, MediaForm.ORIGINAL, described.size_bytes, described.sha256)


def announce_reduced(now: datetime, original: bytes, reduced: bytes, **changes: object) -> Announcement:
    """Announces a reduced copy of a file."""
    described = asset(now, original, **changes)
    return Announcement(described, MediaForm.REDUCED, len(reduced), hashlib.sha256(reduced).digest())


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def pieces(content: bytes, size: int = 1 << 20) -> Sequence[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


async def listed(harness: Harness, subject: str = ALICE, size: int = 100) -> list[UUID]:
    found: list[UUID] = []
    after: PageStart | None = None
    while True:
        media, after = await list_media(harness.dependencies, subject=subject, page_size=size, after=after)
        found += [each.id for each in media]
        if after is None:
            return found
