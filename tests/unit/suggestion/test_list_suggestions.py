from datetime import timedelta
from uuid import UUID

import pytest

from services.suggestion.domain.photos import Photo
from services.suggestion.domain.suggestions import Decision, Kind, State
from services.suggestion.operations.list_suggestions import Order, SuggestionFilter
from tests.unit.suggestion.harness import ALICE, Harness
from tests.unit.suggestion.photos import DAY, series


@pytest.fixture
async def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, [each for day in range(6) for each in moment(day)])
    await made.refresh()
    return made


def moment(day: int) -> list[Photo]:
    return series(4, start=day * DAY, prefix=f"d{day}-")


async def ids(harness: Harness, order: Order = Order.BEST, size: int = 100) -> list[UUID]:
    """Return the suggestions of all pages."""
    shown, token = await harness.listed(order=order, size=size)
    found = [each.row.id for each in shown]
    while token:
        shown, token = await harness.listed(order=order, size=size, token=token)
        found += [each.row.id for each in shown]
    return found


@pytest.mark.parametrize("order", list(Order))
async def test_pages_hold_everything_once_in_order(harness: Harness, order: Order) -> None:
    whole = await ids(harness, order)
    assert len(whole) == 6
    assert await ids(harness, order, size=1) == await ids(harness, order, size=4) == whole


async def test_the_newest_come_first_if_asked_for(harness: Harness) -> None:
    await harness.clock.advance(timedelta(minutes=1))
    harness.analyze(ALICE, [*harness.analyzed(ALICE), *moment(7)])
    await harness.refresh()
    shown, _ = await harness.listed(order=Order.NEWEST)
    assert shown[0].idea.media[0].startswith("media/d7-")


async def test_what_goes_between_two_pages_shifts_nothing(harness: Harness) -> None:
    whole = await ids(harness)
    shown, token = await harness.listed(size=2)
    await harness.decide(Decision.DISMISS, shown[0].row.id)
    rest, _ = await harness.listed(token=token)
    assert [each.row.id for each in rest] == whole[2:]


async def test_a_filter_narrows_by_state_kind_and_media(harness: Harness) -> None:
    shown, _ = await harness.listed()
    await harness.decide(Decision.DISMISS, shown[0].row.id)
    dismissed, _ = await harness.listed(wanted=SuggestionFilter(states=frozenset({State.DISMISSED})))
    themes, _ = await harness.listed(wanted=SuggestionFilter(kinds=frozenset({Kind.THEME})))
    of_media, _ = await harness.listed(wanted=SuggestionFilter(media=shown[1].idea.media[0]))
    assert [each.row.id for each in dismissed] == [shown[0].row.id]
    assert themes == []
    assert [each.row.id for each in of_media] == [shown[1].row.id]
