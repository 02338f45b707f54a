"""The change feed of suggestions, as a device follows it."""

from datetime import timedelta
from uuid import UUID, uuid4

import grpc
import pytest

from pellicule.suggestion.v1 import suggestion_pb2
from tests.integration.suggestion.harness import TAKEN, Harness
from tests.integration.suggestion.person import Person, failure
from tests.integration.suggestion.test_decide import one_suggestion
from tests.integration.suggestion.test_refresh import DAY

pytestmark = pytest.mark.asyncio(loop_scope="session")
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_a_watch_sees_suggestions_come_change_and_go(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    async with ada.watching() as watch:
        assert [each.created for each in await watch.checkpoint()] == [suggestion]
        await ada.save(suggestion.name)
        assert (await watch.next()).changed.state == suggestion_pb2.SUGGESTION_STATE_SAVED
        await harness.photos(ada, start=TAKEN + DAY)
        await ada.refresh()
        new = (await watch.next()).created
        assert new.name != suggestion.name
        await ada.dismiss(new.name)
        assert (await watch.next()).changed.state == suggestion_pb2.SUGGESTION_STATE_DISMISSED
        await harness.erase(ada, suggestion.media[0])
        assert (await watch.next()).deleted == suggestion.name


async def test_a_watch_sees_nothing_of_anybody_else(harness: Harness, ada: Person, ben: Person) -> None:
    async with ben.watching() as watch:
        assert await watch.checkpoint() == []
        await one_suggestion(harness, ada)
        mine = await one_suggestion(harness, ben)
        assert (await watch.next()).created.name == mine.name


async def test_a_device_that_was_away_learns_what_is_not_what_was(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    device = f"devices/{uuid4()}"
    created, checkpoint = await ada.up_to_now(device=device)
    assert created.created.name == suggestion.name
    assert checkpoint.checkpoint.snapshot
    await ada.acknowledge(device, checkpoint.cursor)
    await harness.photos(ada, start=TAKEN + DAY)
    await ada.refresh()
    for decide in (ada.save, ada.dismiss, ada.restore):
        await decide(suggestion.name)
    *told, checkpoint = await ada.up_to_now(device=device)
    assert [each.WhichOneof("change") for each in told] == ["created", "changed"]
    assert told[1].changed.state == suggestion_pb2.SUGGESTION_STATE_SAVED
    assert not checkpoint.checkpoint.snapshot


async def test_a_cut_stream_goes_on_from_its_cursor(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    await harness.photos(ada, start=TAKEN + DAY)
    await ada.refresh()
    first, *rest, checkpoint = await ada.up_to_now()
    again = await ada.up_to_now(first.cursor)
    assert [each.created.name for each in again[:-1]] == [each.created.name for each in rest]
    assert [each.WhichOneof("change") for each in await ada.up_to_now(checkpoint.cursor)] == ["checkpoint"]


async def test_a_suggestion_with_a_hidden_photo_leaves_the_feed(harness: Harness, ada: Person) -> None:
    suggestion = await one_suggestion(harness, ada)
    async with ada.watching() as watch:
        await watch.checkpoint()
        harness.analysis.hide(ada.subject, suggestion.media[0])
        await harness.announce(ada, suggestion.media[0])
        remade = (await watch.next()).created
        assert list(remade.media) == list(suggestion.media[1:])
        assert (await watch.next()).deleted == suggestion.name


async def test_the_feed_of_another_person_is_none(harness: Harness, ada: Person, ben: Person) -> None:
    await one_suggestion(harness, ada)
    *_, checkpoint = await ada.up_to_now()
    assert await failure(ben.up_to_now(checkpoint.cursor)) == INVALID
    assert await failure(ben.acknowledge(f"devices/{uuid4()}", checkpoint.cursor)) == INVALID


@pytest.mark.parametrize(("device", "cursor"), [("", "x"), ("devices/1", ""), (f"devices/{UUID(int=1)}", "x")])
async def test_a_wrong_acknowledgement_is_refused(ada: Person, device: str, cursor: str) -> None:
    assert await failure(ada.acknowledge(device, cursor)) == INVALID


async def test_a_watch_ends_when_its_token_does(harness: Harness, ada: Person) -> None:
    await one_suggestion(harness, ada)
    ada.headers = grpc.aio.Metadata(*harness.callers.bearer(ada.name, ttl=timedelta(seconds=1)))
    async with ada.watching() as watch:
        await watch.checkpoint()
        assert await failure(watch.next()) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")


async def test_the_checkpoint_of_an_empty_feed_can_be_acknowledged(ada: Person) -> None:
    (checkpoint,) = await ada.up_to_now()

    await ada.acknowledge(f"devices/{UUID(int=1)}", checkpoint.cursor)

    assert [message.WhichOneof("change") for message in await ada.up_to_now()] == ["checkpoint"]
