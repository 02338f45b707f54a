import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from services.chassis.changes.feed import Checkpoint, Reset
from services.chassis.principal import Person, enter_principal
from services.keyring import DataKeyScope, PurgeCause, PurposeNotGranted, PurposeScope
from services.suggestion.domain.suggestions import Decision, State
from services.suggestion.operations.watch import Told, ToldDeletion, ToldSuggestion, acknowledge, watch
from tests.unit.suggestion.harness import ALICE, Harness, purge
from tests.unit.suggestion.photos import series

DEVICE = "devices/8c7d0f2e-4f1c-4b8e-9d55-2f6f0a2b1c3d"


@pytest.fixture
async def harness() -> Harness:
    enter_principal(Person(ALICE))
    made = Harness()
    made.analyze(ALICE, series(5))
    await made.refresh()
    return made


def watching(harness: Harness, cursor: str = "", device: str = "") -> AsyncGenerator[Told, None]:
    return watch(harness.dependencies, subject=ALICE, cursor=cursor, device=device, until_checkpoint=False)


async def up_to_now(harness: Harness, cursor: str = "", device: str = "") -> list[Told]:
    feed = watch(harness.dependencies, subject=ALICE, cursor=cursor, device=device, until_checkpoint=True)
    return [item async for item in feed]


async def test_a_snapshot_holds_what_is_there_and_ends_with_a_checkpoint(harness: Harness) -> None:
    (opened,) = await harness.offered()
    told, checkpoint = await up_to_now(harness)
    assert isinstance(told, ToldSuggestion)
    assert (told.is_new, told.suggestion) == (True, opened)
    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.snapshot


async def test_what_happened_since_a_cursor_is_told_once(harness: Harness) -> None:
    (opened,) = await harness.offered()
    *_, before = await up_to_now(harness)
    assert isinstance(before, Checkpoint)
    await harness.decide(Decision.DISMISS, opened.row.id)
    told, checkpoint = await up_to_now(harness, before.cursor)
    assert isinstance(told, ToldSuggestion)
    assert (told.is_new, told.suggestion.state) == (False, State.DISMISSED)
    assert isinstance(checkpoint, Checkpoint)
    assert not checkpoint.snapshot
    assert [type(item) for item in await up_to_now(harness, checkpoint.cursor)] == [Checkpoint]


async def test_a_device_goes_on_from_what_it_acknowledged(harness: Harness) -> None:
    *_, checkpoint = await up_to_now(harness, device=DEVICE)
    assert isinstance(checkpoint, Checkpoint)
    await acknowledge(harness.dependencies, subject=ALICE, device=DEVICE, cursor=checkpoint.cursor)
    assert [type(item) for item in await up_to_now(harness, device=DEVICE)] == [Checkpoint]


async def test_changes_come_as_they_happen(harness: Harness) -> None:
    (opened,) = await harness.offered()
    async with aclosing(watching(harness)) as feed:
        assert [type(await anext(feed)) for _ in range(2)] == [ToldSuggestion, Checkpoint]
        await harness.decide(Decision.SAVE, opened.row.id)
        told = await anext(feed)
        assert isinstance(told, ToldSuggestion)
        assert told.suggestion.state is State.SAVED


async def test_an_erased_photo_takes_its_suggestion_out_of_the_feed(harness: Harness) -> None:
    (opened,) = await harness.offered()
    async with aclosing(watching(harness)) as feed:
        assert [type(await anext(feed)) for _ in range(2)] == [ToldSuggestion, Checkpoint]
        destroyed = harness.keyring.destroy_media(ALICE, "media/p0")
        await purge(harness, DataKeyScope(tuple(destroyed)), PurgeCause.ERASURE)
        told = await anext(feed)
        assert isinstance(told, ToldDeletion)
        assert told.name == f"suggestions/{opened.row.id}"


async def test_what_cannot_be_opened_any_more_is_not_told(harness: Harness) -> None:
    harness.keyring.destroy_media(ALICE, "media/p0")
    assert [type(item) for item in await up_to_now(harness)] == [Checkpoint]


async def test_a_withdrawal_tells_what_is_gone_and_ends_the_watch(harness: Harness) -> None:
    harness.analyze(ALICE, [*series(5), *series(5, start=24 * 60, prefix="later")])
    await harness.refresh()
    names = {f"suggestions/{each.row.id}" for each in await harness.offered()}
    async with aclosing(watching(harness)) as feed:
        while not isinstance(await anext(feed), Checkpoint):
            pass
        revision = harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        assert revision is not None
        await purge(harness, PurposeScope("CLOUD_PROCESSING", revision), PurgeCause.WITHDRAWAL)
        told = [await anext(feed) for _ in names]
        assert {each.name for each in told if isinstance(each, ToldDeletion)} == names
        with pytest.raises(PurposeNotGranted):
            await anext(feed)


async def test_without_consent_there_is_no_watch(harness: Harness) -> None:
    harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await up_to_now(harness)


async def test_a_feed_that_began_anew_says_so_first(harness: Harness) -> None:
    *_, checkpoint = await up_to_now(harness)
    assert isinstance(checkpoint, Checkpoint)
    harness.changes.store.forget_changes(ALICE)
    harness.analyze(ALICE, series(4))
    await harness.refresh()
    told = await up_to_now(harness, checkpoint.cursor)
    assert [type(item) for item in told] == [Reset, ToldSuggestion, Checkpoint]
    assert isinstance(told[-1], Checkpoint)
    assert told[-1].snapshot


async def test_a_feed_in_which_nothing_ever_was_ends_with_the_consent() -> None:
    enter_principal(Person(ALICE))
    harness = Harness()
    harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
    async with aclosing(watching(harness)) as feed:
        assert isinstance(await anext(feed), Checkpoint)
        ending = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0)
        harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        with pytest.raises(PurposeNotGranted):
            await asyncio.wait_for(ending, 5)
