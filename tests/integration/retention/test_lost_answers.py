"""Transactions whose answer is lost between the server and the driver: what lives opens, what was destroyed never."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from psycopg import OperationalError
from pydantic import SecretStr

from services.chassis.database import Pool
from services.chassis.settings import DatabaseSettings
from services.journal import Destruction, Journal
from services.journal.directory import JournalDirectory
from services.retention.domain.keys import OpenKey, PurposeKey
from services.retention.domain.orders import PurgeCause
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.operations.destroy_data_keys import destroy_data_keys
from services.retention.operations.rotate_epochs import rotate_epochs
from services.retention.operations.wrap_data_keys import wrap_next_data_keys
from tests.contract.retention.harness import CLOUD, DAY, LOCATION, OLDER, RetentionHarness
from tests.fakes.clock import FakeClock
from tests.fakes.network import FaultyNetwork, faulty_network, port_of, through
from tests.integration.retention.test_journal import Restorable, begun, truncate

COMMIT = b"COMMIT"

Step = Callable[[], Awaitable[object]]
Prepared = Callable[[str], Awaitable[Step]]


@dataclass
class LostAnswers:
    """The service behind a network that loses the answer of one transaction."""

    running: Restorable
    network: FaultyNetwork
    revisions: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def harness(self) -> RetentionHarness:
        return self.running.harness

    async def each(self, prepare: Prepared) -> AsyncIterator[str]:
        """Yield a person for each transaction of a step, after the step was repeated without that one's answer."""
        for answered in count():
            subject = uuid4().hex
            step = await prepare(subject)
            self.network.lose_answer(COMMIT, after=answered)
            await again(step)
            lost = self.network.has_lost
            self.network.lose_nothing()
            await self.harness.journal.written()
            yield subject
            if not lost:
                assert answered > 0, "no transaction was met"
                return

    async def purpose_key(self, subject: str, purpose: str = CLOUD) -> PurposeKey | None:
        """Return the key of a purpose as it is stored."""
        async with self.harness.store.transaction() as transaction:
            return await transaction.purposes.get(subject, type(CLOUD)(purpose))

    async def written(self) -> list[Destruction]:
        """Return what the journal says was destroyed."""
        records = [record async for record in Journal(self.running.place).since(None)]
        return [entry for record in records for entry in record.entries if isinstance(entry, Destruction)]

    async def has_ended(self, key: OpenKey) -> bool:
        """Tell whether the journal says that a data key is gone."""
        return any(key.id in entry.data_keys for entry in await self.written())

    async def has_ended_purpose(self, revision: int) -> bool:
        """Tell whether the journal says that a purpose key is gone."""
        return any(end.revision == revision for entry in await self.written() for end in entry.purpose_keys)


async def again(step: Step) -> None:
    """Do a step, and once more if it was not answered, as a caller does."""
    try:
        await step()
    except OperationalError:
        await step()


@pytest.fixture
async def network(database: DatabaseSettings) -> AsyncIterator[FaultyNetwork]:
    async with faulty_network(port_of(database.database_url.get_secret_value())) as network:
        yield network


@pytest.fixture
async def behind(database: DatabaseSettings, network: FaultyNetwork, pool: Pool) -> DatabaseSettings:
    await truncate(pool)
    return DatabaseSettings(database_url=SecretStr(through(database.database_url.get_secret_value(), network)))


@pytest.fixture
def place(tmp_path: Path) -> JournalDirectory:
    return JournalDirectory(tmp_path / "journal")


@pytest.fixture
def epochs(tmp_path: Path) -> EpochFiles:
    return EpochFiles(tmp_path / "epochs", b"k" * 32)


@pytest.fixture
async def lost(
    behind: DatabaseSettings, network: FaultyNetwork, place: JournalDirectory, epochs: EpochFiles, clock: FakeClock
) -> AsyncIterator[LostAnswers]:
    async with begun(behind, place, epochs, clock) as running:
        await running.follower.opened()
        yield LostAnswers(running, network)


class TestGrants:
    async def test_a_grant_has_one_key_which_is_used(self, lost: LostAnswers) -> None:
        given = []

        async def prepare(subject: str) -> Step:
            revision = next(lost.revisions)

            async def grant() -> None:
                given.append(await lost.harness.grant(subject, revision=revision))

            return grant

        async for subject in lost.each(prepare):
            key = await lost.purpose_key(subject)
            assert key is not None
            assert key.revision == given[-1]
            [data_key] = await lost.harness.create([], subject=subject)
            assert await lost.harness.can_open(data_key, subject)
            assert not await lost.has_ended_purpose(key.revision)

    async def test_a_renewal_keeps_what_was_sealed(self, lost: LostAnswers) -> None:
        sealed = []

        async def prepare(subject: str) -> Step:
            await lost.harness.grant(subject, revision=next(lost.revisions))
            sealed.extend(await lost.harness.create([], subject=subject))
            revision = next(lost.revisions)
            return lambda: lost.harness.grant(subject, revision=revision)

        async for subject in lost.each(prepare):
            assert await lost.harness.can_open(sealed[-1], subject)

    async def test_a_narrowed_bound_destroys_what_it_leaves_out_and_nothing_else(
        self, lost: LostAnswers, clock: FakeClock
    ) -> None:
        old: list[OpenKey] = []
        new: list[OpenKey] = []

        async def prepare(subject: str) -> Step:
            now = clock.now()
            await lost.harness.grant(
                subject, OLDER, revision=next(lost.revisions), reach_back=now - 300 * DAY, decided=now
            )
            for keys, age in ((old, 200), (new, 20)):
                keys += await lost.harness.create([uuid4()], subject=subject, purpose=OLDER, taken=now - age * DAY)
            revision = next(lost.revisions)
            return lambda: lost.harness.grant(subject, OLDER, revision=revision, reach_back=now - 60 * DAY)

        async for subject in lost.each(prepare):
            assert not await lost.harness.can_open(old[-1], subject, OLDER)
            assert await lost.harness.can_open(new[-1], subject, OLDER)
            assert await lost.has_ended(old[-1])
            assert not await lost.has_ended(new[-1])

    async def test_a_grant_after_one_that_has_ended_has_a_key(self, lost: LostAnswers, clock: FakeClock) -> None:
        ended = []

        async def prepare(subject: str) -> Step:
            ended.append(await lost.harness.grant(subject, revision=next(lost.revisions), lasts=timedelta(seconds=1)))
            clock.set(clock.now() + timedelta(minutes=1))
            revision = next(lost.revisions)
            return lambda: lost.harness.grant(subject, revision=revision)

        async for subject in lost.each(prepare):
            key = await lost.purpose_key(subject)
            assert key is not None
            assert key.revision > ended[-1]
            assert await lost.has_ended_purpose(ended[-1])
            assert not await lost.has_ended_purpose(key.revision)


class TestWithdrawals:
    async def test_a_destroyed_purpose_stays_so(self, lost: LostAnswers) -> None:
        sealed, granted = [], []

        async def prepare(subject: str) -> Step:
            granted.append(await lost.harness.grant(subject, revision=next(lost.revisions)))
            sealed.extend(await lost.harness.create([], subject=subject))
            revision = next(lost.revisions)
            return lambda: lost.harness.withdraw(subject, CLOUD, revision=revision)

        async for subject in lost.each(prepare):
            assert not await lost.harness.can_open(sealed[-1], subject)
            assert await lost.has_ended_purpose(granted[-1])
            assert len([order for order in await lost.harness.orders("ingest") if order.subject == subject]) == 1

    async def test_older_media_take_along_what_was_learnt_from_them(self, lost: LostAnswers) -> None:
        learnt: list[OpenKey] = []
        kept: list[OpenKey] = []

        async def prepare(subject: str) -> Step:
            media = uuid4()
            for purpose in (CLOUD, OLDER, LOCATION):
                await lost.harness.grant(subject, purpose, revision=next(lost.revisions))
            await lost.harness.create([media], subject=subject, purpose=OLDER)
            learnt.extend(await lost.harness.create([media], subject=subject, purpose=LOCATION))
            kept.extend(await lost.harness.create([uuid4()], subject=subject, purpose=CLOUD))
            revision = next(lost.revisions)
            return lambda: lost.harness.withdraw(subject, OLDER, revision=revision)

        async for subject in lost.each(prepare):
            assert not await lost.harness.can_open(learnt[-1], subject, LOCATION)
            assert await lost.harness.can_open(kept[-1], subject)
            assert await lost.has_ended(learnt[-1])
            assert not await lost.has_ended(kept[-1])


class TestErasures:
    async def test_an_erased_photo_is_gone_and_the_others_are_not(self, lost: LostAnswers) -> None:
        gone: list[OpenKey] = []
        kept: list[OpenKey] = []

        async def prepare(subject: str) -> Step:
            media, request_id = uuid4(), uuid4()
            await lost.harness.grant(subject, revision=next(lost.revisions))
            gone.extend(await lost.harness.create([media], subject=subject))
            kept.extend(await lost.harness.create([uuid4()], subject=subject))
            return lambda: lost.harness.erase(media, subject, request_id)

        async for subject in lost.each(prepare):
            assert not await lost.harness.can_open(gone[-1], subject)
            assert await lost.harness.can_open(kept[-1], subject)
            assert await lost.has_ended(gone[-1])
            assert len([order for order in await lost.harness.orders("ingest") if order.subject == subject]) == 1

    async def test_an_erased_person_has_no_key_and_one_who_comes_back_has(self, lost: LostAnswers) -> None:
        await ends_a_person(lost, lambda subject, request_id: lost.harness.erase_everything(subject, request_id))

    async def test_a_deleted_account_has_no_key_and_a_person_who_comes_back_has(self, lost: LostAnswers) -> None:
        await ends_a_person(
            lost, lambda subject, request_id: lost.harness.delete_account(subject, request_id=request_id)
        )

    async def test_a_deadline_that_was_brought_forward_holds(self, lost: LostAnswers, clock: FakeClock) -> None:
        keys = []

        async def prepare(subject: str) -> Step:
            media = uuid4()
            await lost.harness.grant(subject, revision=next(lost.revisions))
            keys.extend(await lost.harness.create([media], subject=subject))
            return lambda: lost.harness.shorten(media, timedelta(hours=1), subject)

        async for subject in lost.each(prepare):
            assert await lost.harness.can_open(keys[-1], subject)
            clock.set(clock.now() + timedelta(hours=2))
            assert not await lost.harness.can_open(keys[-1], subject)
            assert any(entry.media for entry in await lost.written())


class TestDataKeys:
    async def test_keys_that_are_asked_for_again_open(self, lost: LostAnswers) -> None:
        made: list[OpenKey] = []

        async def prepare(subject: str) -> Step:
            media = uuid4()
            await lost.harness.grant(subject, revision=next(lost.revisions))

            async def create() -> None:
                made.extend(await lost.harness.create([media], [media], subject=subject))

            return create

        async for subject in lost.each(prepare):
            assert len(await lost.harness.open(*made[-2:], subject=subject)) == 2

    async def test_destroyed_keys_stay_so_and_the_others_open(self, lost: LostAnswers) -> None:
        made: list[OpenKey] = []

        async def prepare(subject: str) -> Step:
            await lost.harness.grant(subject, revision=next(lost.revisions))
            made.extend(await lost.harness.create([], [], subject=subject))
            gone = made[-1].id
            return lambda: destroy_data_keys(subject, "ingest", [gone], lost.harness.dependencies)

        async for subject in lost.each(prepare):
            assert await lost.harness.can_open(made[-2], subject)
            assert not await lost.harness.can_open(made[-1], subject)
            assert await lost.has_ended(made[-1])
            assert not await lost.has_ended(made[-2])


class TestTime:
    async def test_what_ends_by_itself_is_gone_and_stands_in_the_journal(
        self, lost: LostAnswers, clock: FakeClock
    ) -> None:
        due: list[OpenKey] = []
        kept: list[OpenKey] = []
        ended = []

        async def prepare(subject: str) -> Step:
            await lost.harness.grant(subject, revision=next(lost.revisions))
            ended.append(
                await lost.harness.grant(subject, LOCATION, revision=next(lost.revisions), lasts=timedelta(minutes=30))
            )
            kept.extend(await lost.harness.create([], subject=subject))
            due.extend(await lost.harness.create([], subject=subject, lasts=timedelta(minutes=30)))
            clock.set(clock.now() + timedelta(hours=1))
            return lost.harness.loop.pass_once

        async for subject in lost.each(prepare):
            await lost.harness.tick(timedelta(hours=1))  # what was set aside has its turn again
            await lost.harness.journal.written()
            assert await lost.purpose_key(subject, LOCATION) is None
            assert await lost.harness.can_open(kept[-1], subject)
            assert await lost.has_ended(due[-1])
            assert await lost.has_ended_purpose(ended[-1])
            assert not await lost.has_ended(kept[-1])
            assert await lost.harness.orders("retention") == []


class TestJournal:
    async def test_what_is_pending_is_written_and_no_longer_pending(
        self, lost: LostAnswers, clock: FakeClock, pool: Pool
    ) -> None:
        ended = []

        async def prepare(subject: str) -> Step:
            ended.append(await lost.harness.grant(subject, revision=next(lost.revisions), lasts=timedelta(minutes=30)))
            clock.set(clock.now() + timedelta(hours=1))
            await lost.harness.loop.pass_once()
            return lost.harness.journal.written

        async for _ in lost.each(prepare):
            assert await lost.has_ended_purpose(ended[-1])
            async with pool.connection() as connection:
                assert not (await connection.execute("SELECT FROM journal_pending")).rowcount


class TestEpochs:
    async def test_what_lives_opens_after_every_turn_of_the_day_and_old_epochs_end(
        self, lost: LostAnswers, clock: FakeClock
    ) -> None:
        sealed: list[tuple[str, OpenKey]] = []

        async def seal(subject: str) -> None:
            await lost.harness.grant(subject, revision=next(lost.revisions))
            sealed.extend([(subject, key) for key in await lost.harness.create([], subject=subject)])
            clock.set(clock.now() + DAY)

        async def prepare(subject: str) -> Step:
            await seal(subject)
            return lambda: rotate_epochs(lost.harness.dependencies)

        for day in range(8):
            await seal(f"{day:032}")
            await rotate_epochs(lost.harness.dependencies)
        async for _ in lost.each(prepare):
            for subject, key in sealed[-20:]:
                assert await lost.harness.can_open(key, subject)
            assert len(lost.harness.epochs.all()) <= 7
            assert lost.harness.epochs.newest == clock.now().date().isoformat()

    async def test_data_keys_are_wrapped_anew_and_open(self, lost: LostAnswers, clock: FakeClock) -> None:
        sealed: list[OpenKey] = []

        async def prepare(subject: str) -> Step:
            await lost.harness.grant(subject, revision=next(lost.revisions))
            sealed.extend(await lost.harness.create([], [], subject=subject))
            for _ in range(5):
                clock.set(clock.now() + DAY)
                await rotate_epochs(lost.harness.dependencies)
            return lambda: wrap_next_data_keys(lost.harness.dependencies)

        async for subject in lost.each(prepare):
            assert len(await lost.harness.open(*sealed[-2:], subject=subject)) == 2

    async def test_what_a_lost_epoch_of_today_wrapped_is_never_forgotten(
        self, lost: LostAnswers, clock: FakeClock
    ) -> None:
        async def prepare(subject: str) -> Step:
            clock.set(clock.now() + DAY)
            await rotate_epochs(lost.harness.dependencies)
            for purpose in (CLOUD, LOCATION):
                await lost.harness.grant(subject, purpose, revision=next(lost.revisions))
            await lost.harness.create([], subject=subject)
            lost.harness.epochs.path(lost.harness.epochs.newest).unlink()
            return lambda: rotate_epochs(lost.harness.dependencies)

        async for subject in lost.each(prepare):
            for purpose in (CLOUD, LOCATION):
                assert await lost.purpose_key(subject, purpose) is None, purpose
            told = [order.cause for order in await lost.harness.orders("consent") if order.subject == subject]
            assert told == [PurgeCause.KEY_LOST] * 2
            await lost.harness.grant(subject, revision=next(lost.revisions))
            [key] = await lost.harness.create([], subject=subject)
            assert await lost.harness.can_open(key, subject)


async def test_the_door_opens_whichever_answer_is_lost_and_no_fencing_number_is_handed_out_twice(
    behind: DatabaseSettings, network: FaultyNetwork, place: JournalDirectory, epochs: EpochFiles, clock: FakeClock
) -> None:
    revisions = [0]
    sealed = None
    for answered in count():
        network.lose_answer(COMMIT, after=answered)
        async with begun(behind, place, epochs, clock) as running:
            await running.follower.opened()
            lost = network.has_lost
            network.lose_nothing()
            revisions.append(await running.harness.grant(uuid4().hex))
            if sealed is not None:
                assert await running.harness.can_open(*sealed)
            subject = uuid4().hex
            await running.harness.grant(subject)
            sealed = ((await running.harness.create([], subject=subject))[0], subject)
        if not lost:
            break
    assert revisions == sorted(set(revisions))
    assert len(revisions) > 3


async def ends_a_person(lost: LostAnswers, end: Callable[[str, UUID], Awaitable[object]]) -> None:
    gone: list[OpenKey] = []

    async def prepare(subject: str) -> Step:
        request_id = uuid4()
        await lost.harness.grant(subject, revision=next(lost.revisions))
        gone.extend(await lost.harness.create([], subject=subject))
        return lambda: end(subject, request_id)

    async for subject in lost.each(prepare):
        assert not await lost.harness.can_open(gone[-1], subject)
        assert len([order for order in await lost.harness.orders("ingest") if order.subject == subject]) == 1
        lost.harness.clock.set(lost.harness.clock.now() + timedelta(seconds=1))
        await lost.harness.grant(subject, revision=next(lost.revisions))
        [key] = await lost.harness.create([], subject=subject)
        assert await lost.harness.can_open(key, subject)
        assert sum(len(entry.persons) for entry in await lost.written()) >= 1
