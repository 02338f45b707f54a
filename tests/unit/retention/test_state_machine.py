"""Any story of grants, withdrawals, uploads, erasures, deadlines, crashes and backups keeps the promises."""

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.chassis.errors import DomainError
from services.retention.domain.keys import OpenKey, Purpose
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.operations.forget_records import TOMBSTONE_LIFE
from services.retention.operations.missing_epochs import EPOCH_LIFE
from services.retention.operations.rotate_epochs import rotate_epochs
from tests.contract.retention.harness import ADA, BEN, CLOUD, LOCATION, OLDER, RetentionHarness
from tests.fakes.clock import FakeClock
from tests.fakes.retention_store import FakeStore, State

ROOT_KEY = b"r" * 32
ResultT = TypeVar("ResultT")
subjects = st.sampled_from([ADA, ADA, BEN])
purposes = st.sampled_from([CLOUD, OLDER, LOCATION])
media_purposes = st.sampled_from([CLOUD, OLDER])
lengths = st.sampled_from([timedelta(minutes=5), timedelta(days=1), timedelta(days=4), timedelta(days=30)])


class Crash(Exception):
    """The process dies before the commit."""


@dataclass
class Grant:
    revision: int
    ends: datetime
    bound: datetime | None = None


@dataclass
class Media:
    id: UUID
    subject: str
    purpose: Purpose
    revision: int
    ends: datetime
    taken: datetime | None = None
    over: datetime | None = None
    """When it was seen for the last time before it was over."""


@dataclass
class KnownKey:
    key: OpenKey
    subject: str
    purpose: Purpose
    revision: int
    ends: datetime
    lineage: tuple[Media, ...]


@dataclass
class Backup:
    state: State
    taken: datetime
    keys: list[KnownKey] = field(default_factory=list)


class Story(RuleBasedStateMachine):
    """The model knows what must be open; the service must agree at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.store = FakeStore()
        self.grants: dict[tuple[str, Purpose], Grant] = {}
        self.media: list[Media] = []
        self.keys: list[KnownKey] = []
        self.backups: list[Backup] = []
        self.last_revision = 0
        self.last_look = self.clock.now()
        self.harness = RetentionHarness(self.store, self._epochs(), self.clock)

    def teardown(self) -> None:
        self.loop.close()
        self.folder.cleanup()

    @initialize()
    def begin(self) -> None:
        """Every story starts with something to lose."""
        for subject in (ADA, BEN):
            for purpose, days in ((CLOUD, 30), (OLDER, 5), (LOCATION, 3)):
                self.grant(subject, purpose, timedelta(days=days))
            for purpose in (CLOUD, OLDER):
                self.bring_in(subject, purpose, timedelta(days=8))
        for media in list(self.media):
            self._derive(media.subject, CLOUD, (media,), timedelta(days=30))
            self._derive(media.subject, LOCATION, (media,), timedelta(days=30))

    @rule(subject=subjects, purpose=purposes, lasts=lengths)
    def grant(self, subject: str, purpose: Purpose, lasts: timedelta) -> None:
        known = self._grant(subject, purpose)
        revision = self._run(self.harness.grant(subject, purpose, lasts=lasts))
        if known is None:
            assert revision > self.last_revision, "fencing numbers grow"
            self.last_revision = revision
        else:
            assert revision == known.revision
        self.grants[subject, purpose] = Grant(revision, self.clock.now() + lasts)

    @rule(subject=subjects, days=st.sampled_from([50, 150]))
    def narrow(self, subject: str, days: int) -> None:
        bound = self.clock.now() - timedelta(days=days)
        revision = self._run(self.harness.grant(subject, OLDER, reach_back=bound))
        for media in self.media:
            came_in = (media.subject, media.purpose, media.revision) == (subject, OLDER, revision)
            if came_in and media.taken is not None and media.taken < bound:
                media.ends = min(media.ends, self.clock.now())
        self.last_revision = max(self.last_revision, revision)
        self.grants[subject, OLDER] = Grant(revision, self.clock.now() + timedelta(days=180), bound)

    @rule(subject=subjects, purpose=purposes)
    def withdraw(self, subject: str, purpose: Purpose) -> None:
        self._run(self.harness.withdraw(subject, purpose))
        self.grants.pop((subject, purpose), None)

    @rule(subject=subjects, purpose=media_purposes, lasts=lengths, days=st.sampled_from([10, 100, 200]))
    def bring_in(self, subject: str, purpose: Purpose, lasts: timedelta, days: int = 10) -> None:
        grant = self._grant(subject, purpose)
        taken = self.clock.now() - timedelta(days=days) if purpose is OLDER else None
        if grant is None or (taken and grant.bound and taken < grant.bound):
            return self._refused(self.harness.create([uuid4()], subject=subject, purpose=purpose, taken=taken))
        media = Media(uuid4(), subject, purpose, grant.revision, self.clock.now() + lasts, taken)
        self._create(subject, purpose, lasts, (media,), grant, taken)
        self.media.append(media)
        return None

    @precondition(lambda self: self.media)
    @rule(data=st.data(), purpose=purposes, lasts=lengths)
    def derive(self, data: st.DataObject, purpose: Purpose, lasts: timedelta) -> None:
        subject = data.draw(subjects)
        own = [media for media in self.media if media.subject == subject]
        if not own:
            return
        chosen = data.draw(st.lists(st.integers(0, len(own) - 1), min_size=1, max_size=3, unique=True))
        self._derive(subject, purpose, tuple(own[index] for index in chosen), lasts)

    def _derive(self, subject: str, purpose: Purpose, lineage: tuple[Media, ...], lasts: timedelta) -> None:
        grant = self._grant(subject, purpose)
        if grant is None or not all(self._media_lives(media) for media in lineage):
            ids = [media.id for media in lineage]
            self._refused(self.harness.create(ids, subject=subject, purpose=purpose, lasts=lasts))
        else:
            self._create(subject, purpose, lasts, lineage, grant)

    @precondition(lambda self: self.media)
    @rule(data=st.data())
    def erase_media(self, data: st.DataObject) -> None:
        media = self.media[data.draw(st.integers(0, len(self.media) - 1))]
        try:
            self._run(self.harness.erase(media.id, media.subject))
        except DomainError:
            assert not any(self._must_open(kept) for kept in self.keys if media in kept.lineage)
        media.ends = min(media.ends, self.clock.now())

    @rule(subject=subjects)
    def erase_everything(self, subject: str) -> None:
        self._run(self.harness.erase_everything(subject))
        for purpose in Purpose:
            self.grants.pop((subject, purpose), None)
        self.last_revision += 1
        self.clock.set(self.clock.now() + timedelta(seconds=1))

    @precondition(lambda self: self.media)
    @rule(data=st.data())
    def shorten(self, data: st.DataObject) -> None:
        media = self.media[data.draw(st.integers(0, len(self.media) - 1))]
        ends = self.clock.now() + timedelta(minutes=1)
        try:
            self._run(self.harness.shorten(media.id, timedelta(minutes=1), media.subject))
        except DomainError:
            return
        media.ends = min(media.ends, ends)

    @rule(by=lengths, ticks=st.booleans())
    def pass_time(self, by: timedelta, ticks: bool) -> None:
        self.clock.set(self.clock.now() + by)
        if ticks:
            self._run(self.harness.tick())
            self._forget_ended_grants()
            self._forget_older()
            self._forget_tombstones()

    @rule()
    def crash_and_start_again(self) -> None:
        self.store.fail_at_commit = Crash()
        with pytest.raises(Crash):
            self._run(self.harness.withdraw(ADA, LOCATION))
        self.harness.epochs = self._epochs()

    @rule()
    def back_up(self) -> None:
        self.backups.append(Backup(self.store.state, self.clock.now(), list(self.keys)))

    @invariant()
    def what_must_open_opens_and_nothing_else(self) -> None:
        for kept in self.keys:
            opens = self._opens(self.harness, kept)
            if self._must_open(kept):
                assert opens, "a key that lives does not open"
            elif not self._may_open(kept):
                assert not opens, "a key that is over opens"

    @invariant()
    def what_is_over_is_noted(self) -> None:
        for media in self.media:
            if media.over is None and not self._media_lives(media):
                media.over = self.last_look
        self.last_look = self.clock.now()

    @precondition(lambda self: self.backups)
    @rule()
    def nothing_in_a_backup_opens_once_its_epochs_are_destroyed(self) -> None:
        for backup in self.backups:
            if backup.taken + EPOCH_LIFE < self._last_housekeeping():
                restored = FakeStore()
                for purposes in (backup.state.purposes, self.store.state.purposes):
                    restored.state = replace(backup.state, purposes=purposes)
                    harness = RetentionHarness(restored, self.harness.epochs, FakeClock(backup.taken))
                    assert not any(self._opens(harness, kept) for kept in backup.keys)

    def _epochs(self) -> EpochFiles:
        epochs = EpochFiles(Path(self.folder.name), ROOT_KEY)
        self.loop.run_until_complete(rotate_epochs(RetentionHarness(self.store, epochs, self.clock).dependencies))
        return epochs

    def _last_housekeeping(self) -> datetime:
        return datetime.fromisoformat(f"{self.harness.epochs.newest}T00:00:00+00:00")

    def _create(
        self,
        subject: str,
        purpose: Purpose,
        lasts: timedelta,
        lineage: tuple[Media, ...],
        grant: Grant,
        taken: datetime | None = None,
    ) -> None:
        ids = [media.id for media in lineage]
        [key] = self._run(self.harness.create(ids, subject=subject, purpose=purpose, lasts=lasts, taken=taken))
        self.keys.append(KnownKey(key, subject, purpose, grant.revision, self.clock.now() + lasts, lineage))

    def _grant(self, subject: str, purpose: Purpose) -> Grant | None:
        grant = self.grants.get((subject, purpose))
        return grant if grant is not None and grant.ends > self.clock.now() else None

    def _media_lives(self, media: Media) -> bool:
        present = self.grants.get((media.subject, media.purpose))
        known = present is not None and present.revision == media.revision
        return known and media.ends > self.clock.now()

    def _may_open(self, kept: KnownKey) -> bool:
        """Its purpose lives and its time and that of all that it derives from is not over."""
        grant = self._grant(kept.subject, kept.purpose)
        if grant is None or grant.revision != kept.revision:
            return False
        return min([kept.ends, *(media.ends for media in kept.lineage)]) > self.clock.now()

    def _must_open(self, kept: KnownKey) -> bool:
        """Not while the loop is about to take along what derives from withdrawn older media."""
        older = [media for media in kept.lineage if media.purpose is OLDER]
        return self._may_open(kept) and all(map(self._is_granted_still, older))

    def _is_granted_still(self, media: Media) -> bool:
        return self._media_lives(media) and self._grant(media.subject, media.purpose) is not None

    def _forget_ended_grants(self) -> None:
        """Drop what has ended by itself: after the loop has run nothing may derive from the media of such a grant."""
        self.grants = {key: grant for key, grant in self.grants.items() if grant.ends > self.clock.now()}

    def _forget_older(self) -> None:
        """After the loop has run nothing opens that derives from older media whose consent is gone."""
        for media in self.media:
            if media.purpose is OLDER and not self._media_lives(media):
                media.ends = min(media.ends, self.clock.now())

    def _forget_tombstones(self) -> None:
        """Drop what was over long ago: the service may know as little of it as of what has never come in."""
        until = self.clock.now() - TOMBSTONE_LIFE
        self.media = [media for media in self.media if media.over is None or media.over > until]

    def _opens(self, harness: RetentionHarness, kept: KnownKey) -> bool:
        return self._run(harness.can_open(kept.key, kept.subject, kept.purpose))

    def _refused(self, attempt: Awaitable[object]) -> None:
        with pytest.raises(DomainError):
            self._run(attempt)

    def _run(self, work: Awaitable[ResultT]) -> ResultT:
        async def done() -> ResultT:
            return await work

        return self.loop.run_until_complete(done())


TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
