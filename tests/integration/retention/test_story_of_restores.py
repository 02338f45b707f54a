"""Stories of grants, photos, erasures, deadlines, crashes and restores: nothing comes back, nothing is lost."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from services.chassis.clock import SystemClock
from services.chassis.database import Pool, open_pool
from services.chassis.errors import DomainError
from services.chassis.loops import enduring
from services.chassis.settings import DatabaseSettings
from services.chassis.supervision import supervised
from services.journal import Journal
from services.journal.directory import JournalDirectory
from services.journal.follower import Follower
from services.retention.domain.keys import OpenKey, Purpose
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.journal.writer import JournalWriter
from services.retention.operations.replay_journal import replay
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.store.database import PostgresStore
from services.retention.translation.responses import purge_ordered
from tests.contract.retention.harness import ADA, BEN, CLOUD, DAY, LOCATION, RetentionHarness
from tests.fakes.clock import FakeClock
from tests.fakes.network import FaultyNetwork, faulty_network, port_of, through
from tests.integration.retention.test_journal import Dump, dumped, restored, truncate
from tests.integration.retention.test_lost_answers import COMMIT, again

PERSONS = st.sampled_from([ADA, BEN])
PURPOSES = st.sampled_from([CLOUD, LOCATION])
PICKS = st.integers(0, 100)
STEPS = st.one_of(
    st.tuples(st.just("grant"), PERSONS, PURPOSES),
    st.tuples(st.just("bring_in"), PERSONS, PURPOSES),
    st.tuples(st.just("bring_in"), PERSONS, PURPOSES),
    st.tuples(st.just("withdraw"), PERSONS, PURPOSES),
    st.tuples(st.just("erase_media"), PICKS),
    st.tuples(st.just("erase_everything"), PERSONS),
    st.tuples(st.just("shorten"), PICKS),
    st.tuples(st.just("pass_time"), st.sampled_from([timedelta(minutes=2), DAY, 2 * DAY])),
    st.tuples(st.just("set_the_clock_back"), st.sampled_from([timedelta(minutes=1), timedelta(hours=1)])),
    st.tuples(st.just("back_up")),
    st.tuples(st.just("back_up")),
    st.tuples(st.just("restore"), PICKS),
    st.tuples(st.just("restore"), PICKS),
    st.tuples(st.just("crash")),
    st.tuples(st.just("lose_epoch"), PICKS),
    st.tuples(st.just("lose_answer"), st.integers(0, 3)),
)
RESTORABLE = 6 * DAY
"""A copy that is older cannot be opened any more, which other tests show."""


@dataclass
class Known:
    """A key, and whether it is over for good."""

    key: OpenKey
    subject: str
    purpose: Purpose
    media: UUID
    made: int
    over: bool = False


@dataclass
class Story:
    """What was done, and what must be true of it."""

    pool: Pool
    database: DatabaseSettings
    network: FaultyNetwork
    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    step: int = 0
    keys: list[Known] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    """Keys that a copy did not have, or whose epoch is lost."""
    backups: list[tuple[datetime, int, Dump]] = field(default_factory=list)
    revisions: dict[int, tuple[str, Purpose]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.epochs = EpochFiles(self.folder / "epochs", b"r" * 32)
        self.consent_revision = 0

    @asynccontextmanager
    async def process(self) -> AsyncIterator[RetentionHarness]:
        """Run a process of the service until the end of the block."""
        journal = Journal(JournalDirectory(self.folder / "journal"))
        follower = Follower(journal, SystemClock())
        async with open_pool(self.database, follower) as guarded:
            writer = JournalWriter(guarded, follower, SystemClock())
            store = PostgresStore(guarded, purge_ordered)
            harness = RetentionHarness(store, self.epochs, self.clock, journal=writer, revision=self.consent_revision)

            async def before_opening() -> None:
                await writer.reserve_revisions()
                await rotate_epochs(harness.dependencies)

            again = partial(replay, dependencies=harness.dependencies)
            follower.attach(guarded, again, begins=True, opening=before_opening)
            async with supervised([enduring(follower.run, SystemClock())]):
                await follower.opened()
                yield harness
            self.consent_revision = harness.revision

    async def tell(self, steps: list[tuple[object, ...]]) -> None:
        """Run the steps; a crash and a restore end the process, and another one begins."""
        remaining = iter(steps)
        while (chapter := await self._chapter(remaining)) is not None:
            if chapter:
                await self._restore(chapter[0])

    async def _chapter(self, remaining: Iterator[tuple[object, ...]]) -> list[int] | None:
        async with self.process() as harness:
            await again(partial(self._check, harness))
            for name, *arguments in remaining:
                self.step += 1
                if name == "crash":
                    return []
                if name == "restore":
                    return [int(str(arguments[0]))]
                act: Callable[..., Awaitable[None]] = getattr(self, f"_{name}")
                await again(partial(act, harness, *arguments))
                await again(partial(self._check, harness))
        return None

    async def _grant(self, harness: RetentionHarness, subject: str, purpose: Purpose) -> None:
        revision = await harness.grant(subject, purpose, lasts=100 * DAY)
        assert self.revisions.setdefault(revision, (subject, purpose)) == (subject, purpose)

    async def _bring_in(self, harness: RetentionHarness, subject: str, purpose: Purpose) -> None:
        await self._grant(harness, subject, CLOUD)
        await self._grant(harness, subject, purpose)
        media = await harness.media(subject)
        for each in {CLOUD, purpose}:
            [key] = await harness.create([media], subject=subject, purpose=each)
            self.keys.append(Known(key, subject, each, media, self.step))

    async def _withdraw(self, harness: RetentionHarness, subject: str, purpose: Purpose) -> None:
        await harness.withdraw(subject, purpose)
        self._end(lambda kept: (kept.subject, kept.purpose) == (subject, purpose))

    async def _erase_media(self, harness: RetentionHarness, pick: int) -> None:
        if self.keys:
            media, subject = (chosen := self.keys[pick % len(self.keys)]).media, chosen.subject
            with suppress(DomainError):
                await harness.erase(media, subject)
                self._end(lambda kept: kept.media == media)

    async def _erase_everything(self, harness: RetentionHarness, subject: str) -> None:
        await harness.erase_everything(subject)
        self._end(lambda kept: kept.subject == subject)
        self.clock.set(self.clock.now() + timedelta(seconds=1))

    async def _shorten(self, harness: RetentionHarness, pick: int) -> None:
        """Bring an end forward, and wait for it."""
        if self.keys:
            media, subject = (chosen := self.keys[pick % len(self.keys)]).media, chosen.subject
            with suppress(DomainError):
                await harness.shorten(media, timedelta(minutes=1), subject)
                self._end(lambda kept: kept.media == media)
            await self._pass_time(harness, timedelta(minutes=2))

    async def _pass_time(self, harness: RetentionHarness, by: timedelta) -> None:
        await harness.tick(by)

    async def _set_the_clock_back(self, harness: RetentionHarness, by: timedelta) -> None:
        """Set the machine's clock back for a moment: what is over by a word stays over."""
        self.clock.set(self.clock.now() - by)
        await harness.loop.pass_once()
        assert not any([await self._opens(harness, kept) for kept in self.keys if kept.over])
        self.clock.set(self.clock.now() + by)

    async def _lose_epoch(self, harness: RetentionHarness, pick: int) -> None:
        """Lose the key of one epoch out of several: what it wraps is lost, and grants go on."""
        epochs = self.epochs.all()
        if len(epochs) > 1:
            self.epochs.path(epochs[pick % len(epochs)]).unlink()
            await harness.tick()
            self.lost |= {kept.key.id for kept in self.keys if not await self._opens(harness, kept)}

    async def _lose_answer(self, _: RetentionHarness, after: int) -> None:
        """Lose the answer of one of the next transactions; its caller does its step again."""
        self.network.lose_answer(COMMIT, after=after)

    async def _back_up(self, harness: RetentionHarness) -> None:
        self.backups.append((self.clock.now(), self.step, await dumped(self.pool)))

    async def _restore(self, pick: int) -> None:
        young = [each for each in self.backups if self.clock.now() - each[0] < RESTORABLE]
        if young:
            _, step, dump = young[pick % len(young)]
            await restored(self.pool, dump)
            await self.pool.check()  # a restore ends every connection but its own
            self.lost |= {kept.key.id for kept in self.keys if kept.made > step}
            self.backups = [each for each in self.backups if each[1] <= step]

    def _end(self, which: Callable[[Known], bool]) -> None:
        for kept in filter(which, self.keys):
            kept.over = True

    async def _check(self, harness: RetentionHarness) -> None:
        for kept in self.keys:
            opens = await self._opens(harness, kept)
            if kept.over:
                assert not opens, "what was destroyed opens again"
            elif kept.key.id not in self.lost:
                assert opens, "what lives does not open"

    async def _opens(self, harness: RetentionHarness, kept: Known) -> bool:
        return await harness.can_open(kept.key, kept.subject, kept.purpose)


@settings(
    max_examples=15,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(steps=st.lists(STEPS, min_size=6, max_size=20))
async def test_nothing_comes_back_and_nothing_that_lives_is_lost(
    pool: Pool, database: DatabaseSettings, steps: list[tuple[object, ...]]
) -> None:
    await truncate(pool)
    url = database.database_url.get_secret_value()
    with tempfile.TemporaryDirectory() as folder:
        async with faulty_network(port_of(url)) as network:
            behind = DatabaseSettings(database_url=SecretStr(through(url, network)))
            await Story(pool, behind, network, Path(folder)).tell(steps)
