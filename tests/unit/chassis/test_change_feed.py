import pytest

from services.chassis.changes.feed import Checkpoint
from services.chassis.errors import FieldInvalid
from tests.contract.chassis.change_store_suite import checkpoint, cursor_of, items_of
from tests.fakes.change_feed import FakeChangeFeed
from tests.fakes.clock import FakeClock

ANN, BOB = "a" * 32, "b" * 32


@pytest.fixture
def fake() -> FakeChangeFeed:
    fake = FakeChangeFeed(FakeClock())
    fake.store.record_changed(ANN, ["media/1"])
    return fake


async def test_a_cursor_of_another_person_is_refused(fake: FakeChangeFeed) -> None:
    cursor = await checkpoint(fake.feed, ANN)
    with pytest.raises(FieldInvalid, match="cursor"):
        fake.feed.follow(BOB, cursor)


async def test_a_cursor_of_another_feed_is_refused(fake: FakeChangeFeed) -> None:
    cursor = await checkpoint(fake.feed, ANN)
    with pytest.raises(FieldInvalid, match="cursor"):
        await FakeChangeFeed(FakeClock(), "WatchSuggestions").feed.acknowledge(ANN, "phone", cursor)


async def test_a_person_without_anything_has_a_checkpoint_without_a_cursor(fake: FakeChangeFeed) -> None:
    items = fake.feed.follow(BOB)
    assert await anext(items) == Checkpoint("", snapshot=True)
    await items.aclose()


async def test_a_checkpoint_says_whether_all_was_told_or_only_what_changed(fake: FakeChangeFeed) -> None:
    first = (await items_of(fake.feed, ANN))[-1]
    later = (await items_of(fake.feed, ANN, cursor_of(first)))[-1]
    assert (first, later) == (Checkpoint(cursor_of(first), True), Checkpoint(cursor_of(first), False))
