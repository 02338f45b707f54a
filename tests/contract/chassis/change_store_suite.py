"""What every change store does: the real one and the one in memory are held to the same tests."""

import asyncio
from collections.abc import Awaitable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from services.chassis.changes.feed import Change, ChangeFeed, ChangeKind, Checkpoint, Item, Reset

CREATED, CHANGED, DELETED = ChangeKind.CREATED, ChangeKind.CHANGED, ChangeKind.DELETED
RESET, CHECKPOINT = "reset", "checkpoint"


class Records(Protocol):
    """Takes changes down; each call is a transaction."""

    async def changed(self, subject: str, *resources: str) -> None: ...
    async def deleted(self, subject: str, *resources: str) -> None: ...
    async def all_deleted(self, subject: str) -> None: ...
    async def forget(self, subject: str) -> None: ...
    async def restore(self, subject: str, sequence: int) -> None:
        """Put the head back to where it once was, as a copy of the database does."""

    async def pass_time(self, by: timedelta) -> None:
        """Lets what is there grow old, and sweeps."""


class ChangeStoreSuite:
    """Run by a subclass for each store, beside the fixtures `records` and `feed`."""

    @pytest.fixture
    def subject(self) -> str:
        return uuid4().hex

    async def test_a_feed_without_a_cursor_is_a_snapshot(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1", "media/2", "media/3")
        await records.changed(subject, "media/1")
        await records.deleted(subject, "media/2")
        assert await told(feed, subject) == [("media/3", CREATED), ("media/1", CREATED), CHECKPOINT]

    async def test_a_checkpoint_says_whether_it_ends_a_snapshot(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1")
        checkpoints = [(await items_of(feed, subject))[-1]]
        checkpoints.append((await items_of(feed, subject, cursor_of(checkpoints[0])))[-1])
        assert [each.snapshot for each in checkpoints if isinstance(each, Checkpoint)] == [True, False]

    async def test_a_feed_goes_on_after_its_cursor(self, records: Records, feed: ChangeFeed, subject: str) -> None:
        await records.changed(subject, "media/1", "media/2", "media/3")
        cursor = await checkpoint(feed, subject)
        await records.changed(subject, "media/1", "media/4")
        await records.deleted(subject, "media/2")
        assert await told(feed, subject, cursor) == [
            ("media/1", CHANGED),
            ("media/4", CREATED),
            ("media/2", DELETED),
            CHECKPOINT,
        ]

    async def test_a_cut_snapshot_goes_on_where_it_was_cut(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/0")
        await records.deleted(subject, "media/0")
        await records.changed(subject, *(f"media/{number}" for number in range(1, 5)))
        async with aclosing(feed.follow(subject)) as items:
            first = [await soon(anext(items)) for _ in range(2)]
        await records.deleted(subject, "media/1", "media/3")
        assert names(first) == [("media/1", CREATED), ("media/2", CREATED)]
        assert await told(feed, subject, cursor_of(first[1])) == [
            ("media/4", CREATED),
            ("media/1", DELETED),
            ("media/3", DELETED),
            CHECKPOINT,
        ]

    async def test_a_follower_hears_what_changes_from_now_on(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        async with aclosing(feed.follow(subject)) as items:
            before = await soon(anext(items))
            await records.changed(subject, "media/1")
            created = await soon(anext(items))
            await records.changed(subject, "media/1")
            changed = await soon(anext(items))
            await records.deleted(subject, "media/1")
            deleted = await soon(anext(items))
        assert before == Checkpoint("", snapshot=True)
        assert names([created, changed, deleted]) == [
            ("media/1", CREATED),
            ("media/1", CHANGED),
            ("media/1", DELETED),
        ]

    async def test_what_comes_again_is_created_again(self, records: Records, feed: ChangeFeed, subject: str) -> None:
        await records.changed(subject, "media/1")
        cursor = await checkpoint(feed, subject)
        await records.deleted(subject, "media/1")
        await records.changed(subject, "media/1")
        assert await told(feed, subject, cursor) == [("media/1", CREATED), CHECKPOINT]

    async def test_persons_do_not_hear_each_other(self, records: Records, feed: ChangeFeed, subject: str) -> None:
        await records.changed(uuid4().hex, "media/1")
        assert await told(feed, subject) == [CHECKPOINT]

    async def test_deleting_what_is_not_there_is_no_change(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1")
        await records.deleted(subject, "media/1")
        cursor = await checkpoint(feed, subject)
        await records.deleted(subject, "media/1", "media/2")
        await records.deleted(subject)
        assert await told(feed, subject, cursor) == [CHECKPOINT]

    async def test_a_purge_of_everything_reaches_a_device_that_was_away(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1", "media/2")
        cursor = await checkpoint(feed, subject)
        await records.all_deleted(subject)
        assert await told(feed, subject, cursor) == [("media/1", DELETED), ("media/2", DELETED), CHECKPOINT]
        assert await told(feed, subject) == [CHECKPOINT]

    async def test_two_devices_go_on_where_each_of_them_is(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1")
        await feed.acknowledge(subject, "phone", await checkpoint(feed, subject))
        await records.changed(subject, "media/2")
        await feed.acknowledge(subject, "tablet", await checkpoint(feed, subject))
        await records.changed(subject, "media/3")
        assert await told(feed, subject, device="phone") == [("media/2", CREATED), ("media/3", CREATED), CHECKPOINT]
        assert await told(feed, subject, device="tablet") == [("media/3", CREATED), CHECKPOINT]
        assert len(await told(feed, subject, device="new")) == 4

    async def test_an_acknowledgement_never_goes_back(self, records: Records, feed: ChangeFeed, subject: str) -> None:
        await records.changed(subject, "media/1")
        old = await checkpoint(feed, subject)
        await records.changed(subject, "media/2")
        new = await checkpoint(feed, subject, old)
        for cursor in (old, new, old, ""):
            await feed.acknowledge(subject, "phone", cursor)
        assert await feed.acknowledged(subject, "phone") == new

    async def test_a_feed_that_was_deleted_begins_anew_for_who_follows(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1")
        async with aclosing(feed.follow(subject)) as items:
            before = [await soon(anext(items)) for _ in range(2)]
            await records.forget(subject)
            after = [await soon(anext(items)) for _ in range(2)]
            await records.changed(subject, "media/2")
            after.append(await soon(anext(items)))
        assert names(before) == [("media/1", CREATED), CHECKPOINT]
        assert names(after) == [RESET, CHECKPOINT, ("media/2", CREATED)]

    async def test_a_cursor_of_a_feed_that_was_deleted_is_reset(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1")
        cursor = await checkpoint(feed, subject)
        await records.forget(subject)
        await records.changed(subject, "media/2", "media/3")
        assert await told(feed, subject, cursor) == [RESET, ("media/2", CREATED), ("media/3", CREATED), CHECKPOINT]

    async def test_a_cursor_ahead_of_a_restored_database_is_reset(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1")
        await records.changed(subject, "media/2")
        cursor = await checkpoint(feed, subject)
        await records.restore(subject, 1)
        await feed.acknowledge(subject, "phone", cursor)
        assert await told(feed, subject, cursor) == [RESET, ("media/1", CREATED), CHECKPOINT]
        assert await feed.acknowledged(subject, "phone") == ""

    async def test_tombstones_go_after_sixty_days_and_who_needs_them_begins_anew(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1", "media/2")
        old = await checkpoint(feed, subject)
        await feed.acknowledge(subject, "phone", old)
        await records.deleted(subject, "media/1")
        new = await checkpoint(feed, subject, old)
        await records.pass_time(timedelta(days=59))
        kept = await told(feed, subject, old)
        await records.pass_time(timedelta(days=2))
        assert kept == [("media/1", DELETED), CHECKPOINT]
        assert await told(feed, subject, old) == [RESET, ("media/2", CREATED), CHECKPOINT]
        assert await told(feed, subject, new) == [CHECKPOINT]

    async def test_a_snapshot_that_is_cut_outlives_tombstones_from_before_it(
        self, records: Records, feed: ChangeFeed, subject: str
    ) -> None:
        await records.changed(subject, "media/1", "media/2", "media/3")
        await records.deleted(subject, "media/3")
        await records.pass_time(timedelta(days=61))
        async with aclosing(feed.follow(subject)) as items:
            first = await soon(anext(items))
        await feed.acknowledge(subject, "phone", cursor_of(first))
        assert await told(feed, subject, device="phone") == [("media/2", CREATED), CHECKPOINT]

    async def test_many_changes_come_in_order_and_once(self, records: Records, feed: ChangeFeed, subject: str) -> None:
        resources = [f"media/{number:04}" for number in range(1700)]
        await records.changed(subject, *resources)
        assert await told(feed, subject) == [*((resource, CREATED) for resource in resources), CHECKPOINT]


async def soon(item: Awaitable[Item]) -> Item:
    """Wait for an item that must come."""
    async with asyncio.timeout(10):
        return await item


async def told(feed: ChangeFeed, subject: str, cursor: str = "", device: str = "") -> list[object]:
    """Return what a new stream tells up to its checkpoint."""
    return names(await items_of(feed, subject, cursor, device))


async def checkpoint(feed: ChangeFeed, subject: str, cursor: str = "") -> str:
    """Return the cursor of a new stream's checkpoint."""
    return cursor_of((await items_of(feed, subject, cursor))[-1])


async def items_of(feed: ChangeFeed, subject: str, cursor: str = "", device: str = "") -> list[Item]:
    """Return the items of a new stream up to its checkpoint."""
    async with asyncio.timeout(10):
        return [item async for item in feed.catch_up(subject, cursor, device=device)]


def cursor_of(item: Item) -> str:
    assert isinstance(item, Change | Checkpoint)
    return item.cursor


def names(items: Sequence[Item]) -> list[object]:
    """Return items as a test writes them down."""
    return [_name(item) for item in items]


def _name(item: Item) -> object:
    match item:
        case Change():
            return item.resource, item.kind
        case Checkpoint():
            return CHECKPOINT
        case Reset():
            return RESET
