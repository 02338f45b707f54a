"""Pages, filters and orders of suggestions."""

import grpc
import pytest

from pellicule.suggestion.v1 import suggestion_pb2
from services.chassis.error_details import read_error
from tests.integration.suggestion.harness import TAKEN, Harness
from tests.integration.suggestion.person import Person, failure
from tests.integration.suggestion.test_refresh import DAY

pytestmark = pytest.mark.asyncio(loop_scope="session")
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def three_moments(harness: Harness, person: Person) -> None:
    for day in range(3):
        await harness.photos(person, 3, start=TAKEN + day * DAY)
    await person.refresh()


async def test_pages_hold_everything_once(harness: Harness, ada: Person) -> None:
    await three_moments(harness, ada)
    everything = [suggestion.name for suggestion in await ada.offered()]
    names: list[str] = []
    token = ""
    while True:
        page = await ada.list(page_size=2, page_token=token)
        assert 0 < len(page.suggestions) <= 2
        names += [suggestion.name for suggestion in page.suggestions]
        token = page.next_page_token
        if not token:
            break
    assert names == everything
    assert len(names) == 3


async def test_a_page_goes_on_although_what_it_ended_with_is_gone(harness: Harness, ada: Person) -> None:
    await three_moments(harness, ada)
    everything = [suggestion.name for suggestion in await ada.offered()]
    page = await ada.list(page_size=1)
    await ada.dismiss(everything[0])
    rest = await ada.list(page_token=page.next_page_token)
    assert [suggestion.name for suggestion in rest.suggestions] == everything[1:]


async def test_a_page_token_belongs_to_its_request_and_person(harness: Harness, ada: Person, ben: Person) -> None:
    await three_moments(harness, ada)
    token = (await ada.list(page_size=1)).next_page_token
    assert await failure(ada.list(page_token=token, order_by="create_time desc")) == INVALID
    assert await failure(ben.list(page_token=token)) == INVALID


async def test_page_sizes_are_coerced(harness: Harness, ada: Person) -> None:
    await three_moments(harness, ada)
    assert len((await ada.list(page_size=100_000)).suggestions) == 3


async def test_filters_and_orders_are_kept(harness: Harness, ada: Person) -> None:
    await three_moments(harness, ada)
    first, *_ = await ada.offered()
    await ada.dismiss(first.name)
    dismissed = suggestion_pb2.SuggestionFilter(states=[suggestion_pb2.SUGGESTION_STATE_DISMISSED])
    assert [suggestion.name for suggestion in (await ada.list(wanted=dismissed)).suggestions] == [first.name]
    recaps = suggestion_pb2.SuggestionFilter(kinds=[suggestion_pb2.SUGGESTION_KIND_RECAP])
    assert (await ada.list(wanted=recaps)).suggestions == []
    newest = (await ada.list(order_by="create_time desc")).suggestions
    assert len(newest) == 2
    assert newest[0].create_time.ToDatetime() >= newest[1].create_time.ToDatetime()
    of_one = suggestion_pb2.SuggestionFilter(media=newest[0].media[0])
    assert [suggestion.name for suggestion in (await ada.list(wanted=of_one)).suggestions] == [newest[0].name]


@pytest.mark.parametrize(("page_size", "page_token"), [(-1, ""), (10, "x"), (10, "-1"), (10, "²")])
async def test_a_wrong_page_is_refused(ada: Person, page_size: int, page_token: str) -> None:
    assert await failure(ada.list(page_size=page_size, page_token=page_token)) == INVALID


async def test_every_wrong_field_is_named_at_once(ada: Person) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ada.list(page_size=-1, page_token="x", order_by="beauty")
    assert {each.field for each in read_error(caught.value).violations} == {"page_size", "page_token", "order_by"}
