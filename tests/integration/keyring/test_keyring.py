import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from services.chassis.clock import SystemClock
from services.chassis.database import Pool
from services.chassis.errors import DependencyUnavailable
from services.chassis.supervision import supervised
from services.keyring import PurposeNotGranted
from services.keyring.cache import LEASE_SECONDS
from services.keyring.client import RetentionKeyring
from services.keyring.erasure_client import RetentionErasures
from services.keyring.errors import GrantStale, NothingToErase, PersonErased
from services.keyring.purpose_keys import RetentionPurposeKeys
from services.retention.domain.revocation import News
from services.retention.store.database import PostgresStore
from services.retention.store.replicas import PostgresReplicas
from services.retention.translation.responses import purge_ordered
from tests.contract.keyring.suite import ADA, CLOUD, KeyringSuite, created, new_media, opened
from tests.contract.retention.harness import new_harness
from tests.fakes.clock import FakeClock
from tests.integration.eventually import eventually
from tests.integration.retention.harness import Callers, RunningRetention, running_retention


class RealHarness:
    """The real keyring over the wire; time is the service's."""

    def __init__(self, retention: RunningRetention, keyring: RetentionKeyring, purposes: RetentionPurposeKeys) -> None:
        self.keyring = keyring
        self.purposes = purposes
        self.retention = retention
        self._ground = retention.harness

    def now(self) -> datetime:
        return self._ground.clock.now()

    async def grant(self, subject: str, purpose: str, reach_back: datetime | None = None) -> int:
        self._ground.revision += 1
        return await self.purposes.grant(
            subject=subject,
            purpose=purpose,
            revision=self._ground.revision,
            expire_time=self.now() + timedelta(days=180),
            decide_time=self.now(),
            reach_back_time=reach_back,
        )

    async def withdraw(self, subject: str, purpose: str) -> None:
        self._ground.revision += 1
        await self.purposes.destroy(subject=subject, purposes=[purpose], revision=self._ground.revision)

    async def erase_media(self, subject: str, media: str) -> None:
        erasures = RetentionErasures(await self.retention.as_service("ingest"))
        await erasures.erase_media(subject=subject, media=media, request_id=uuid4())

    async def erase_everything(self, subject: str) -> None:
        await self._ground.erase_everything(subject)

    async def pass_time(self, by: timedelta) -> None:
        await self._ground.tick(by)


@pytest.fixture
async def keyring_harness(retention: RunningRetention) -> RealHarness:
    """Without listening to revocations: every key is asked for each time."""
    keyring = RetentionKeyring(await retention.as_service("ingest"), SystemClock())
    return RealHarness(retention, keyring, RetentionPurposeKeys(await retention.as_service("consent")))


@pytest.fixture
async def listening(keyring_harness: RealHarness) -> AsyncIterator[RealHarness]:
    """With keys held in memory and dropped when the service says so."""
    async with supervised([keyring_harness.keyring.run]):
        await keyring_harness.keyring.listening()
        yield keyring_harness


class TestRetentionKeyring(KeyringSuite):
    """Over the wire."""


class TestHeldKeys:
    async def test_opened_keys_are_held(self, listening: RealHarness) -> None:
        await listening.grant(ADA, CLOUD)
        keys = await created(listening, (), ())
        await opened(listening, *keys)
        assert listening.keyring.held_count == 2
        assert await opened(listening, *keys) == {key.id: key.key for key in keys}

    async def test_a_withdrawal_reaches_the_holders_of_keys(self, listening: RealHarness) -> None:
        await listening.grant(ADA, CLOUD)
        keys = await created(listening, ())
        await opened(listening, *keys)
        await listening.withdraw(ADA, CLOUD)
        with pytest.raises(PurposeNotGranted):
            await opened(listening, *keys)

    async def test_a_deadline_reaches_the_holders_of_keys(self, listening: RealHarness) -> None:
        await listening.grant(ADA, CLOUD)
        keys = await created(listening, (), lasts=timedelta(hours=1))
        await opened(listening, *keys)
        await listening.pass_time(timedelta(hours=1))

        async def gone() -> bool:
            return not await opened(listening, *keys)

        await eventually(gone, seconds=2)

    async def test_many_destroyed_keys_are_told_in_several_notes(self, listening: RealHarness) -> None:
        await listening.grant(ADA, CLOUD)
        media = new_media()
        keys = await created(listening, *[(media,)] * 500)
        await opened(listening, *keys)
        await listening.erase_media(ADA, media)
        assert await opened(listening, *keys) == {}

    async def test_a_service_that_stops_takes_all_held_keys_along(self, listening: RealHarness) -> None:
        await listening.grant(ADA, CLOUD)
        keys = await created(listening, ())
        await opened(listening, *keys)
        await listening.retention.stop()
        with pytest.raises(DependencyUnavailable):
            await opened(listening, *keys)


class SilentReplicas(PostgresReplicas):
    """Their database is there and falls silent when told, as behind a broken network."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.silent = asyncio.Event()

    async def told(self, replica: UUID) -> AsyncIterator[Sequence[News]]:
        async for news in super().told(replica):
            if self.silent.is_set():
                await asyncio.Event().wait()
            yield news


class TestSilence:
    async def test_three_seconds_of_silence_end_all_holding(
        self, pool: Pool, tmp_path: Path, clock: FakeClock, callers: Callers
    ) -> None:
        store = PostgresStore(pool, purge_ordered)
        store.replicas = replicas = SilentReplicas(pool)
        retention_harness = await new_harness(store, tmp_path, clock)
        async with running_retention(retention_harness, callers) as retention:
            keyring = RetentionKeyring(await retention.as_service("ingest"), SystemClock())
            keyring_harness = RealHarness(
                retention, keyring, RetentionPurposeKeys(await retention.as_service("consent"))
            )
            async with supervised([keyring.run]):
                await keyring.listening()
                await keyring_harness.grant(ADA, CLOUD)
                await opened(keyring_harness, *await created(keyring_harness, ()))
                assert keyring.held_count == 1
                replicas.silent.set()
                async with asyncio.timeout(LEASE_SECONDS + 2):
                    while keyring.held_count:  # noqa: ASYNC110  # silence has no event
                        await asyncio.sleep(0.05)


class TestPurposeKeys:
    async def test_a_stale_grant_is_named(self, keyring_harness: RealHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        await keyring_harness.withdraw(ADA, CLOUD)
        keyring_harness.retention.harness.revision -= 2
        with pytest.raises(GrantStale):
            await keyring_harness.grant(ADA, CLOUD)

    async def test_a_grant_from_before_the_erasure_is_named(self, keyring_harness: RealHarness) -> None:
        await keyring_harness.erase_everything(ADA)
        with pytest.raises(PersonErased):
            await keyring_harness.grant(ADA, CLOUD)

    async def test_a_withdrawal_says_how_far_decisions_have_come(self, keyring_harness: RealHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        assert await keyring_harness.purposes.destroy(subject=ADA, purposes=[CLOUD], revision=9) == 9


class TestErasures:
    async def test_what_is_not_there_is_named(self, keyring_harness: RealHarness) -> None:
        with pytest.raises(NothingToErase):
            await keyring_harness.erase_media(ADA, new_media())

    async def test_a_deadline_is_brought_forward(self, keyring_harness: RealHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        media, ends = new_media(), keyring_harness.now() + timedelta(days=2)
        keys = await created(keyring_harness, (media,))
        erasures = RetentionErasures(await keyring_harness.retention.as_service("ingest"))
        assert await erasures.shorten_deadline(subject=ADA, media=media, delete_by=ends, request_id=uuid4()) == ends
        await keyring_harness.pass_time(timedelta(days=2))
        assert await opened(keyring_harness, *keys) == {}
