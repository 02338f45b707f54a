from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from services.ingest.domain.media import MediaForm, PageStart
from services.ingest.domain.media_list import MediaFilter, MediaOrder, MediaQuery
from services.ingest.operations.delete_media import delete_media
from services.ingest.operations.list_media import list_media
from services.ingest.operations.update_media import OwnerMarks, update_media
from services.keyring import PurposeNotGranted
from tests.unit.ingest.harness import ALICE, BOB, Harness, announce_reduced, listed
from tests.unit.ingest.pictures import picture


async def found(harness: Harness, query: MediaQuery, size: int = 100) -> list[UUID]:
    return await _paged(harness, query, size, between=_nothing)


async def _nothing() -> None:
    pass


async def _paged(
    harness: Harness, query: MediaQuery, size: int, *, between: Callable[[], Awaitable[object]]
) -> list[UUID]:
    ids: list[UUID] = []
    after: PageStart | None = None
    while True:
        media, after = await list_media(harness.dependencies, subject=ALICE, page_size=size, after=after, query=query)
        ids += [each.id for each in media]
        if after is None:
            return ids
        await between()


async def keep(harness: Harness, seed: int, *, taken_days_ago: int = 2, **changes: object) -> UUID:
    await harness.clock.advance(1.0)
    taken = harness.now - timedelta(days=taken_days_ago)
    return await harness.keep(picture(seed=seed), subject=ALICE, capture_time=taken, **changes)


async def hide(harness: Harness, media_id: UUID) -> None:
    await update_media(
        harness.dependencies, subject=ALICE, media_id=media_id, marks=OwnerMarks(hidden=True), request_id=None
    )


async def test_a_list_goes_page_by_page_and_shows_ones_own_alone(harness: Harness) -> None:
    mine = [await keep(harness, seed) for seed in range(5)]
    await harness.keep(subject=BOB)
    assert await listed(harness, size=2) == mine[::-1]
    assert await listed(harness, size=5) == mine[::-1]
    assert await found(harness, MediaQuery(order=MediaOrder.OLDEST_UPLOAD), size=2) == mine


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_the_order_of_capture_is_another(harness: Harness, size: int) -> None:
    days = (5, 2, 9, 7)
    kept = {day: await keep(harness, day, taken_days_ago=day) for day in days}
    oldest = [kept[day] for day in sorted(days, reverse=True)]
    assert await found(harness, MediaQuery(order=MediaOrder.OLDEST_CAPTURE), size) == oldest
    assert await found(harness, MediaQuery(order=MediaOrder.NEWEST_CAPTURE), size) == oldest[::-1]


async def test_media_taken_at_one_time_are_each_told_once(harness: Harness) -> None:
    taken = harness.now - timedelta(days=3)
    kept = {await harness.keep(picture(seed=seed), capture_time=taken) for seed in range(5)}
    for order in MediaOrder:
        ids = await found(harness, MediaQuery(order=order), size=2)
        assert (len(ids), set(ids)) == (5, kept)


@pytest.mark.parametrize("order", list(MediaOrder))
async def test_pages_do_not_shift_when_media_come_and_go(harness: Harness, order: MediaOrder) -> None:
    kept = [await keep(harness, seed, taken_days_ago=20 - 2 * seed) for seed in range(6)]
    expected = kept[::-1] if order.is_newest_first else kept
    came: list[UUID] = []

    async def come_and_go() -> None:
        if not came:
            came.append(await keep(harness, 99, taken_days_ago=1 if order.is_newest_first else 25))
            gone = expected[0]
            await delete_media(harness.dependencies, subject=ALICE, media_id=gone, request_id=gone)

    ids = await _paged(harness, MediaQuery(order=order), 2, between=come_and_go)
    assert [each for each in ids if each not in came] == expected


async def test_hidden_media_are_left_out_of_lists_that_do_not_ask_for_them(harness: Harness) -> None:
    shown, hidden = await keep(harness, 1), await keep(harness, 2)
    await hide(harness, hidden)
    assert await listed(harness) == [shown]
    assert await found(harness, MediaQuery(MediaFilter(hidden=None))) == [hidden, shown]
    assert await found(harness, MediaQuery(MediaFilter(hidden=True))) == [hidden]


async def test_a_page_is_full_whatever_lies_between(harness: Harness) -> None:
    kept = [await keep(harness, seed) for seed in range(6)]
    for media_id in kept[2:5]:
        await hide(harness, media_id)
    media, after = await list_media(harness.dependencies, subject=ALICE, page_size=2, after=None)
    assert [each.id for each in media] == [kept[5], kept[1]]
    assert after == PageStart(media[-1].upload_time, media[-1].id)


async def test_a_filter_narrows(harness: Harness) -> None:
    harness.keyring.grant(ALICE, "OLDER_MEDIA")
    marked = await keep(harness, 1, favorite=True, taken_days_ago=9)
    screenshot = await keep(harness, 2, screenshot=True, taken_days_ago=5)
    original, reduced = picture(width=640, height=480, seed=3), picture(width=64, height=48, seed=3)
    await harness.clock.advance(1.0)
    received = await harness.upload(announce_reduced(harness.now, original, reduced, capture_time=None), reduced)
    assert received.media is not None
    copy = received.media.id

    def ago(days: int) -> datetime:
        return harness.now - timedelta(days=days)

    expected = {
        MediaFilter(favorite=True): [marked],
        MediaFilter(favorite=False): [copy, screenshot],
        MediaFilter(screenshot=True): [screenshot],
        MediaFilter(form=MediaForm.REDUCED): [copy],
        MediaFilter(capture_start=ago(7)): [screenshot],
        MediaFilter(capture_end=ago(7)): [marked],
        MediaFilter(capture_start=ago(10), capture_end=ago(1)): [screenshot, marked],
    }
    assert {wanted: await found(harness, MediaQuery(wanted)) for wanted in expected} == expected


async def test_what_was_taken_at_a_time_that_is_not_known_counts_as_the_oldest(harness: Harness) -> None:
    harness.keyring.grant(ALICE, "OLDER_MEDIA")
    known = await keep(harness, 1)
    original, reduced = picture(width=640, height=480, seed=3), picture(width=64, height=48, seed=3)
    received = await harness.upload(announce_reduced(harness.now, original, reduced, capture_time=None), reduced)
    assert received.media is not None
    unknown = received.media.id
    assert await found(harness, MediaQuery(order=MediaOrder.OLDEST_CAPTURE), size=1) == [unknown, known]
    assert await found(harness, MediaQuery(order=MediaOrder.NEWEST_CAPTURE), size=1) == [known, unknown]


async def test_without_a_grant_nothing_is_listed(harness: Harness) -> None:
    harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    for order in MediaOrder:
        with pytest.raises(PurposeNotGranted):
            await found(harness, MediaQuery(order=order))
