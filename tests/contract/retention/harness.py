"""Retention's use cases over any store, with a clock that a test moves: short names for what stories need."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

from services.retention.declarations.data_map_file import load_data_map
from services.retention.domain.account import AccountDeletion
from services.retention.domain.data_map import DataMap
from services.retention.domain.erasure import Erasure, StorePurge
from services.retention.domain.keys import DataKeyRequest, Grant, OpenKey, Purpose
from services.retention.domain.orders import PurgeOrder
from services.retention.domain.readers import Reader
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.errors import EpochsMisplaced, PurposeNotGranted
from services.retention.operations import request_erasure
from services.retention.operations.create_data_keys import create_data_keys
from services.retention.operations.delete_account import request_account_deletion
from services.retention.operations.dependencies import Dependencies
from services.retention.operations.destroy_purposes import destroy_purpose_keys
from services.retention.operations.grant_purpose import grant_purpose_key
from services.retention.operations.open_data_keys import open_data_keys
from services.retention.operations.purge_orders import complete_purge_order, list_purge_orders
from services.retention.operations.read_account_deletion import get_account_deletion
from services.retention.operations.read_erasures import get_erasure
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.operations.shorten_deadline import shorten_deadline
from services.retention.ports import DestructionJournal, EpochKeys, RevocationFeed, Store
from services.retention.worker import ClockLoop
from tests.fakes.clock import FakeClock
from tests.fakes.journal import FakeDestructionJournal
from tests.fakes.retention_replicas import NoHolders
from tests.fakes.set_aside import FakeSetAside

ADA = "a" * 32
BEN = "b" * 32
CLOUD = Purpose.CLOUD_PROCESSING
OLDER = Purpose.OLDER_MEDIA
LOCATION = Purpose.LOCATION
DAY = timedelta(days=1)


@cache
def _data_map() -> DataMap:
    """Return the data map as it is delivered, which takes longer to read than a story to tell."""
    return load_data_map()


@dataclass
class RetentionHarness:
    """A retention service without its wire."""

    store: Store
    epochs: EpochFiles
    clock: FakeClock
    data_map: DataMap = field(default_factory=_data_map)
    set_aside: FakeSetAside = field(default_factory=FakeSetAside)
    revision: int = 0
    revocations: RevocationFeed = field(default_factory=NoHolders)
    journal: DestructionJournal = field(default_factory=FakeDestructionJournal)
    keys: EpochKeys | None = None
    """Takes the place of `epochs`: keys that are elsewhere."""
    lost_epochs: frozenset[str] = frozenset()

    async def grant(
        self,
        subject: str = ADA,
        purpose: Purpose = CLOUD,
        *,
        revision: int | None = None,
        lasts: timedelta = 180 * DAY,
        decided: datetime | None = None,
        reach_back: datetime | None = None,
    ) -> int:
        now = self.clock.now()
        grant = Grant(
            subject=subject,
            purpose=purpose,
            revision=self._next(revision),
            expire_time=now + lasts,
            decide_time=decided or now,
            reach_back_time=reach_back,
        )
        return await grant_purpose_key(grant, self.dependencies)

    async def withdraw(self, subject: str = ADA, *purposes: Purpose, revision: int | None = None) -> None:
        await destroy_purpose_keys(subject, purposes or (CLOUD,), self._next(revision), self.dependencies)

    async def create(
        self,
        *lineages: Sequence[UUID],
        subject: str = ADA,
        purpose: Purpose = CLOUD,
        owner: str = "ingest",
        lasts: timedelta = 30 * DAY,
        taken: datetime | None = None,
    ) -> list[OpenKey]:
        requests = [DataKeyRequest(self.clock.now() + lasts, tuple(lineage), taken) for lineage in lineages]
        created, _ = await create_data_keys(subject, purpose, owner, requests, self.dependencies)
        return created

    async def media(self, subject: str = ADA, purpose: Purpose = CLOUD, lasts: timedelta = 30 * DAY) -> UUID:
        """Brings a media in, and returns it."""
        media = uuid4()
        await self.create([media], subject=subject, purpose=purpose, lasts=lasts)
        return media

    async def open(self, *wanted: OpenKey, subject: str = ADA, purpose: Purpose = CLOUD) -> Mapping[str, bytes]:
        """Open keys as the services that own them do."""
        found: dict[str, bytes] = {}
        for service in ("ingest", "analysis", "suggestion"):
            found |= await self.open_as(service, *wanted, subject=subject, purpose=purpose)
        return found

    async def open_as(
        self, service: str, *wanted: OpenKey, subject: str = ADA, purpose: Purpose = CLOUD
    ) -> Mapping[str, bytes]:
        ids, reader = [key.id for key in wanted], Reader(service)
        opened, _ = await open_data_keys(subject, purpose, ids, reader, self.dependencies)
        return {key.id: key.key for key in opened}

    async def can_open(self, key: OpenKey, subject: str = ADA, purpose: Purpose = CLOUD) -> bool:
        try:
            return await self.open(key, subject=subject, purpose=purpose) == {key.id: key.key}
        except (PurposeNotGranted, EpochsMisplaced):
            return False

    async def erase(self, media: UUID, subject: str = ADA, request_id: UUID | None = None) -> Erasure:
        return await request_erasure.erase_media(subject, media, request_id or uuid4(), self.dependencies)

    async def erase_everything(self, subject: str = ADA, request_id: UUID | None = None) -> Erasure:
        return await request_erasure.erase_everything(subject, request_id or uuid4(), self.dependencies)

    async def delete_account(
        self, subject: str = ADA, *, delay: timedelta = timedelta(), request_id: UUID | None = None
    ) -> AccountDeletion:
        return await request_account_deletion(subject, request_id or uuid4(), delay, self.dependencies)

    async def account_deletion(self, deletion: AccountDeletion) -> tuple[AccountDeletion, list[StorePurge]]:
        return await get_account_deletion(deletion.subject, deletion.id, self.dependencies)

    async def complete_all(self, *, spare: str = "") -> None:
        """Carries out every outstanding order but those of one service."""
        for service in {*self.data_map.personal_services, *self.data_map.media_services, "consent"} - {spare}:
            for order in await self.orders(service):
                if service != "retention":
                    await self.complete(order)
        if spare != "retention":
            await self.tick()

    async def erasure(self, erasure: Erasure) -> tuple[Erasure, list[StorePurge]]:
        return await get_erasure(erasure.subject, erasure.id, self.dependencies)

    async def shorten(self, media: UUID, ends_in: timedelta, subject: str = ADA) -> int:
        return await shorten_deadline(subject, media, self.clock.now() + ends_in, self.dependencies)

    async def orders(self, service: str) -> list[PurgeOrder]:
        return [
            order for _, order in await list_purge_orders(service, after=0, limit=1000, dependencies=self.dependencies)
        ]

    async def complete(self, order: PurgeOrder, **purged: int) -> None:
        counts = {f"{order.service}.table.{name}": count for name, count in purged.items()}
        await complete_purge_order(order.service, order.id, counts, self.dependencies)

    async def tick(self, by: timedelta = timedelta()) -> None:
        """Lets time pass, and the clock loop do what is due."""
        self.clock.set(self.clock.now() + by)
        await self.loop.pass_once()

    @property
    def dependencies(self) -> Dependencies:
        return Dependencies(
            store=self.store,
            epoch_keys=self.keys or self.epochs,
            revocations=self.revocations,
            journal=self.journal,
            data_map=self.data_map,
            clock=self.clock,
            longest_days=30,
            lost_epochs=self.lost_epochs,
        )

    @property
    def loop(self) -> ClockLoop:
        return ClockLoop(self.dependencies, self.set_aside)

    def _next(self, revision: int | None) -> int:
        self.revision = max(self.revision + 1, revision or 0)
        return revision or self.revision


async def new_harness(store: Store, folder: Path, clock: FakeClock) -> RetentionHarness:
    epochs = EpochFiles(folder / "epochs", secrets.token_bytes(32))
    harness = RetentionHarness(store, epochs, clock)
    await rotate_epochs(harness.dependencies)
    return harness
