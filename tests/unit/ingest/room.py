"""The ingest service's use cases on fakes: what a phone does to them, in as few words as possible."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from services.ingest import receiving, starting
from services.ingest.domain import Announcement, Asset, Purpose, Rendition
from services.ingest.housekeeping import Housekeeping
from services.ingest.intake import Intake, Policy
from services.ingest.key_pool import KeyPool
from services.ingest.lookup import LookupKeys
from services.ingest.purging import execute
from services.ingest.receiving import Received
from services.ingest.translation import ProtoCodec
from services.keyring import DataKey, DataKeyScope, NewDataKey, PurgeCause, PurgeOrder, PurgeScope, PurposeScope
from services.keyring.errors import NothingToErase
from tests.fakes.clock import FakeClock
from tests.fakes.ingest import (
    FakeHousekeeping,
    FakeLookupKeys,
    FakeMedia,
    FakePurge,
    FakeUploads,
    FakeWriterLocks,
    Tables,
)
from tests.fakes.keyring import FakeKeyring
from tests.fakes.object_store import FakeObjectStore
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
class Room:
    """Everything that a use case touches."""

    clock: FakeClock = field(default_factory=FakeClock)
    objects: FakeObjectStore = field(default_factory=FakeObjectStore)
    tables: Tables = field(default_factory=Tables)
    locks: FakeWriterLocks = field(default_factory=FakeWriterLocks)
    policy: Policy = field(default_factory=Policy)

    def __post_init__(self) -> None:
        self.keyring = WatchedKeyring(self.clock)
        self.intake = Intake(
            uploads=FakeUploads(self.tables),
            media=FakeMedia(self.tables),
            lookup=LookupKeys(FakeLookupKeys(self.tables), self.keyring, self.clock, self.policy.retention),
            keys=KeyPool(self.keyring, self.clock, self.policy.retention),
            locks=self.locks,
            keyring=self.keyring,
            objects=self.objects,
            codec=ProtoCodec(),
            clock=self.clock,
            policy=self.policy,
        )
        self.housekeeping = Housekeeping(
            uploads=self.intake.uploads,
            tables=FakeHousekeeping(self.tables),
            objects=self.objects,
            keyring=self.keyring,
            clock=self.clock,
            orphan_grace=timedelta(hours=1),
            deletions_kept=self.policy.retention,
        )

    @property
    def now(self) -> datetime:
        return self.clock.now()

    async def start(self, announcement: Announcement, *, subject: str = ALICE, request_id: UUID | None = None) -> UUID:
        upload = await starting.start_upload(
            self.intake, subject=subject, request_id=request_id or uuid4(), announcement=announcement
        )
        return upload.id

    async def send(self, upload_id: UUID, *chunks: bytes, offset: int = 0, subject: str = ALICE) -> Received:
        received = await receiving.receive(
            self.intake, subject=subject, upload_id=upload_id, offset=offset, chunks=stream(*chunks)
        )
        await self.intake.aftermath.finish()
        return received

    async def upload(self, announcement: Announcement, content: bytes, *, subject: str = ALICE) -> Received:
        """Starts an upload and sends everything, in one go."""
        received = await receiving.start_and_receive(
            self.intake,
            subject=subject,
            request_id=uuid4(),
            announcement=announcement,
            chunks=stream(*pieces(content)),
        )
        await self.intake.aftermath.finish()
        return received

    async def keep(self, content: bytes | None = None, *, subject: str = ALICE, **changes: object) -> UUID:
        """Uploads a picture and returns the id of its media."""
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

    async def erase_media(self, *, subject: str, media: str, request_id: UUID) -> str:
        """Does what the retention service does, the purge order included."""
        ids = self.keyring.destroy_media(subject, media)
        if not ids:
            raise NothingToErase("nothing is kept for this media")
        await self.purge(DataKeyScope(tuple(ids)), PurgeCause.ERASURE, subject)
        return f"erasures/{request_id}"

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
    return Announcement(described, Rendition.ORIGINAL, described.size_bytes, described.sha256)


def announce_preview(now: datetime, original: bytes, preview: bytes, **changes: object) -> Announcement:
    """Announces a reduced copy of a file."""
    described = asset(now, original, **changes)
    return Announcement(described, Rendition.PREVIEW, len(preview), hashlib.sha256(preview).digest())


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def pieces(content: bytes, size: int = 1 << 20) -> Sequence[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]
