"""The change feed as it is told to a person."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from services.analysis.domain.media import StoredMedia
from services.analysis.operations.watch_analyses import (
    AnalysisChange,
    ChangeKind,
    Checkpoint,
    Item,
    Reset,
    watch_analyses,
)
from services.analysis.translation import streams
from services.keyring import PurposeNotGranted
from tests.unit.analysis.harness import ANN, EVERYTHING, Harness


@pytest.fixture
def harness() -> Harness:
    harness = Harness()
    harness.keyring.grant(ANN, *EVERYTHING)
    return harness


def watch(harness: Harness, cursor: str = "", *, until_checkpoint: bool = False) -> AsyncGenerator[Item, None]:
    feed = harness.store.feed.feed
    return watch_analyses(ANN, harness.dependencies, feed, cursor=cursor, until_checkpoint=until_checkpoint)


async def told(harness: Harness, cursor: str = "") -> list[Item]:
    return [item async for item in watch(harness, cursor, until_checkpoint=True)]


def checkpoint(items: list[Item]) -> Checkpoint:
    """Return the end of a feed."""
    assert isinstance(items[-1], Checkpoint)
    return items[-1]


def kinds(items: list[Item]) -> list[tuple[str, ChangeKind | None]]:
    return [(item.name, item.kind) if isinstance(item, AnalysisChange) else ("", None) for item in items]


def name(media: StoredMedia) -> str:
    return f"{media.name}/analysis"


async def test_a_snapshot_tells_what_is_there(harness: Harness) -> None:
    media = [await harness.bring_in() for _ in range(3)]
    await harness.work()
    items = await told(harness)
    assert {item.name for item in items if isinstance(item, AnalysisChange)} == {name(each) for each in media}
    assert all(item.analysis and item.analysis.scene for item in items if isinstance(item, AnalysisChange))
    assert checkpoint(items).snapshot


async def test_what_happens_after_a_cursor_is_told(harness: Harness) -> None:
    first = await harness.bring_in()
    await harness.work()
    cursor = checkpoint(await told(harness)).cursor
    second = await harness.bring_in()
    await harness.erase(first)
    assert kinds(await told(harness, cursor)) == [
        (name(second), ChangeKind.CREATED),
        (name(first), ChangeKind.DELETED),
        ("", None),
    ]


async def test_a_feed_goes_on_after_its_checkpoint(harness: Harness) -> None:
    async with aclosing(watch(harness)) as items:
        assert isinstance(await anext(items), Checkpoint)
        media = await harness.bring_in()
        assert kinds([await anext(items)]) == [(name(media), ChangeKind.CREATED)]
        await harness.work()
        assert kinds([await anext(items)]) == [(name(media), ChangeKind.CHANGED)]


async def test_what_can_no_longer_be_opened_is_passed_over(harness: Harness) -> None:
    first, second = await harness.bring_in(), await harness.bring_in()
    await harness.work()
    harness.keyring.destroy_media(ANN, first.name)
    assert kinds(await told(harness)) == [(name(second), ChangeKind.CREATED), ("", None)]


async def test_a_feed_that_cannot_go_on_begins_anew(harness: Harness) -> None:
    media = await harness.bring_in()
    cursor = checkpoint(await told(harness)).cursor
    await harness.store.forget_person(ANN, harness.clock.now())
    await harness.work()
    items = await told(harness, cursor)
    assert isinstance(items[0], Reset)
    assert kinds(items[1:]) == [(name(media), ChangeKind.CREATED), ("", None)]


async def test_without_consent_there_is_no_feed(harness: Harness) -> None:
    harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await told(harness)


async def test_a_feed_ends_with_the_consent_and_tells_first_what_is_gone(harness: Harness) -> None:
    media = await harness.bring_in()
    await harness.work()
    async with aclosing(watch(harness)) as items:
        assert kinds([await anext(items) for _ in range(2)])[-1] == ("", None)
        harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
        await harness.erase(media)
        assert kinds([await anext(items)]) == [(name(media), ChangeKind.DELETED)]
        with pytest.raises(PurposeNotGranted):
            await anext(items)


async def test_items_become_messages(harness: Harness) -> None:
    media = await harness.bring_in()
    await harness.work()
    created, checkpoint = [streams.change(item, "fr") for item in await told(harness)]
    assert (created.created.name, created.created.findings.tags[0].label) == (name(media), "chat")
    assert (checkpoint.checkpoint.snapshot, checkpoint.cursor != "") == (True, True)
    assert streams.change(Reset(), "en").WhichOneof("change") == "reset"
    gone = streams.change(AnalysisChange(name(media), ChangeKind.DELETED, None, "here"), "en")
    assert (gone.deleted, gone.cursor) == (name(media), "here")


async def test_a_feed_in_which_nothing_ever_was_ends_with_the_consent(harness: Harness) -> None:
    async with aclosing(watch(harness)) as feed:
        assert isinstance(await anext(feed), Checkpoint)
        ending = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0)
        harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
        with pytest.raises(PurposeNotGranted):
            await asyncio.wait_for(ending, 5)
