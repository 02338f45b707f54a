"""The journal over objects that a test tears and loses."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.chassis.errors import DependencyUnavailable
from services.journal import (
    Beginning,
    Destruction,
    Entry,
    ErasedPerson,
    Journal,
    JournalDamaged,
    JournalLost,
    JournalMissing,
    LossAccepted,
    Position,
    PurposeKeyEnd,
    RevisionsReserved,
    person_tag,
)
from services.journal.record import Record, decode, encode
from tests.fakes.journal import FakeJournalObjects

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
KEYS = Destruction(salt="ab", data_keys=("00000000-0000-4000-8000-000000000001",))


@pytest.fixture
def objects() -> FakeJournalObjects:
    return FakeJournalObjects()


@pytest.fixture
async def journal(objects: FakeJournalObjects) -> Journal:
    journal = Journal(objects)
    await journal.begin()
    await entries(journal)
    return journal


async def entries(journal: Journal, position: Position | None = None) -> list[Entry]:
    return [entry async for record in journal.since(position) for entry in record.entries]


async def position_of(journal: Journal) -> Position:
    assert journal.head is not None
    return journal.head


def test_a_record_is_read_as_it_was_written() -> None:
    told = Destruction(
        salt="ab",
        purpose_keys=(PurposeKeyEnd(7, "tag"),),
        data_keys=("key",),
        media=(("media", NOON),),
        bounds=((8, NOON),),
        persons=(ErasedPerson("tag", 9, NOON, account=True),),
        epochs=("2026-03-01",),
    )
    record = Record("id", 3, "before", (Beginning(), told, RevisionsReserved(5), LossAccepted("other", 2)))
    assert decode(encode(record)).entries == record.entries


def test_a_record_of_a_release_that_told_of_no_epochs_is_read() -> None:
    data = encode(Record("id", 3, "before", (KEYS,))).replace(b'"epochs":[],', b"")
    assert (b"epochs" in data, decode(data).entries) == (False, (KEYS,))


def test_a_tag_is_the_same_for_a_person_and_a_salt_alone() -> None:
    assert person_tag("ab", "ada") == person_tag("ab", "ada")
    assert len({person_tag("ab", "ada"), person_tag("cd", "ada"), person_tag("ab", "ben")}) == 3


async def test_records_come_in_the_order_in_which_they_were_appended(journal: Journal) -> None:
    await journal.append([RevisionsReserved(1)])
    await journal.append([KEYS])
    assert await entries(journal) == [Beginning(), RevisionsReserved(1), KEYS]


async def test_a_database_gets_what_it_has_not_seen(journal: Journal) -> None:
    await journal.append([RevisionsReserved(1)])
    seen = await position_of(journal)
    await journal.append([KEYS])
    assert await entries(journal, seen) == [KEYS]


async def test_two_writers_append_in_one_order_and_lose_nothing(journal: Journal, objects: FakeJournalObjects) -> None:
    other = Journal(objects)
    await entries(other)
    await asyncio.gather(*(each.append([RevisionsReserved(n)]) for n in range(10) for each in (journal, other)))
    told = [entry.until for entry in await entries(Journal(objects)) if isinstance(entry, RevisionsReserved)]
    assert sorted(told) == sorted([*range(10), *range(10)])


async def test_a_journal_is_begun_once(journal: Journal, objects: FakeJournalObjects) -> None:
    first = objects.objects[0]
    await Journal(objects).begin()
    assert objects.objects[0] == first


async def test_nothing_is_appended_before_the_journal_was_read(objects: FakeJournalObjects) -> None:
    with pytest.raises(DependencyUnavailable):
        await Journal(objects).append([KEYS])


async def test_no_journal_is_said_to_be_missing(objects: FakeJournalObjects) -> None:
    with pytest.raises(JournalMissing):
        await entries(Journal(objects))


class TestLoss:
    async def test_a_journal_that_is_gone_is_noticed(self, journal: Journal, objects: FakeJournalObjects) -> None:
        seen = await position_of(journal)
        objects.objects.clear()
        with pytest.raises(JournalLost):
            await entries(Journal(objects), seen)

    async def test_another_journal_is_noticed(self, journal: Journal) -> None:
        seen = await position_of(journal)
        other = Journal(FakeJournalObjects())
        await other.begin()
        with pytest.raises(JournalLost):
            await entries(other, seen)

    async def test_a_journal_that_is_behind_is_noticed(self, journal: Journal, objects: FakeJournalObjects) -> None:
        await journal.append([KEYS])
        seen = await position_of(journal)
        del objects.objects[seen.number]
        with pytest.raises(JournalLost):
            await entries(Journal(objects), seen)

    async def test_nothing_is_appended_to_a_journal_that_was_taken_away(
        self, journal: Journal, objects: FakeJournalObjects
    ) -> None:
        objects.objects.clear()
        with pytest.raises(JournalLost):
            await journal.append([KEYS])
        assert objects.objects == {}

    @pytest.mark.parametrize("torn", [b"", b'{"entries":[', b"{}"])
    async def test_a_torn_last_record_is_noticed(
        self, journal: Journal, objects: FakeJournalObjects, torn: bytes
    ) -> None:
        await journal.append([KEYS])
        objects.objects[1] = torn
        with pytest.raises(JournalDamaged):
            await entries(Journal(objects))

    async def test_an_altered_record_is_noticed(self, journal: Journal, objects: FakeJournalObjects) -> None:
        await journal.append([RevisionsReserved(1)])
        await journal.append([KEYS])
        objects.objects[1] = objects.objects[1].replace(b'"until":1', b'"until":2')
        with pytest.raises(JournalDamaged):
            await entries(Journal(objects))

    async def test_a_record_that_is_missing_in_the_middle_is_noticed(
        self, journal: Journal, objects: FakeJournalObjects
    ) -> None:
        await journal.append([RevisionsReserved(1)])
        await journal.append([KEYS])
        del objects.objects[1]
        with pytest.raises(JournalDamaged):
            await entries(Journal(objects))

    async def test_an_entry_of_a_later_release_is_not_passed_over(
        self, journal: Journal, objects: FakeJournalObjects
    ) -> None:
        await journal.append([KEYS])
        objects.objects[1] = objects.objects[1].replace(b'"DESTRUCTION"', b'"FUTURE"')
        with pytest.raises(JournalDamaged):
            await entries(Journal(objects))


class TestAcceptance:
    async def test_a_lost_journal_that_is_given_up_is_replayed_from_its_successors_beginning(
        self, journal: Journal, objects: FakeJournalObjects
    ) -> None:
        seen = await position_of(journal)
        objects.objects.clear()
        await Journal(objects).accept_loss(seen.journal, seen.number)
        assert await entries(Journal(objects), seen) == [Beginning(), LossAccepted(seen.journal, seen.number)]

    async def test_a_loss_that_came_later_is_not_covered(self, journal: Journal, objects: FakeJournalObjects) -> None:
        seen = await position_of(journal)
        await journal.append([KEYS])
        later = await position_of(journal)
        objects.objects.clear()
        await Journal(objects).accept_loss(seen.journal, seen.number)
        with pytest.raises(JournalLost):
            await entries(Journal(objects), later)

    async def test_a_torn_record_that_is_given_up_is_passed_over(
        self, journal: Journal, objects: FakeJournalObjects
    ) -> None:
        await journal.append([KEYS])
        objects.objects[1] = b"torn"
        reader = Journal(objects)
        name = decode(objects.objects[0]).journal
        await reader.accept_loss(name, 1)
        assert await entries(reader) == [Beginning(), LossAccepted(name, 1)]
        await reader.append([KEYS])
        assert (await entries(Journal(objects)))[-1] == KEYS
