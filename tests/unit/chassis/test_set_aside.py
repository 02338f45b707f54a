import pytest
from psycopg.errors import QueryCanceled

from services.chassis.errors import DependencyUnavailable
from services.chassis.failed_work.set_aside import FIRST_PAUSE, Item
from services.chassis.failed_work.turns import Turns
from tests.fakes.clock import FakeClock
from tests.fakes.set_aside import FakeSetAside

AWAY = DependencyUnavailable.of("object-store")


class Work:
    """Items by number, of which some fail."""

    def __init__(self, *items: int) -> None:
        self.items = list(items)
        self.failing: dict[int, Exception] = {}
        self.tried = list[int]()
        self.done = list[int]()
        self.clock = FakeClock()
        self.set_aside = FakeSetAside()
        self.turns = Turns("number", self.set_aside, self.clock)

    async def fetch(self, without: object) -> list[int]:
        assert isinstance(without, set | frozenset)
        return [item for item in self.items if str(item) not in without and item not in self.done]

    async def work(self, item: int) -> None:
        self.tried.append(item)
        if item in self.failing:
            raise self.failing[item]
        self.done.append(item)

    async def take(self) -> int:
        self.tried.clear()
        return await self.turns.take(self.fetch, lambda item: Item(str(item), "ada"), self.work)

    def aside(self) -> list[str]:
        return [item for _, item in self.set_aside.items]


async def test_an_item_that_fails_is_set_aside_with_its_reason_and_the_others_are_done() -> None:
    work = Work(1, 2, 3)
    work.failing[2] = KeyError("x")
    assert await work.take() == 2
    (item,) = work.set_aside.items.values()
    assert (item.kind, item.item, item.person, item.reason, item.attempts) == ("number", "2", "ada", "KeyError", 1)


async def test_an_item_that_is_set_aside_waits_and_is_then_tried_again() -> None:
    work = Work(1)
    work.failing[1] = KeyError("x")
    await work.take()
    await work.take()
    assert work.tried == []
    await work.clock.advance(FIRST_PAUSE)
    await work.take()
    assert work.tried == [1]


async def test_an_item_that_succeeds_at_last_is_set_aside_no_more() -> None:
    work = Work(1)
    work.failing[1] = KeyError("x")
    await work.take()
    work.failing.clear()
    await work.clock.advance(FIRST_PAUSE)
    assert await work.take() == 1
    assert work.aside() == []


async def test_nothing_is_set_aside_for_an_outage_and_the_loop_waits() -> None:
    work = Work(1, 2, 3, 4, 5)
    work.failing = dict.fromkeys(work.items, AWAY)
    for _ in range(4):
        with pytest.raises(DependencyUnavailable):
            await work.take()
    assert work.aside() == []
    work.failing.clear()
    while await work.take():
        pass
    assert sorted(work.done) == [1, 2, 3, 4, 5]
    assert work.aside() == []


async def test_an_outage_is_not_asked_more_often_than_it_takes_to_know_it() -> None:
    work = Work(*range(100))
    work.failing = dict.fromkeys(work.items, AWAY)
    with pytest.raises(DependencyUnavailable):
        await work.take()
    assert work.tried == [0, 1, 2]


async def test_one_that_fails_as_in_an_outage_while_others_succeed_is_set_aside() -> None:
    work = Work(1, 2)
    work.failing[1] = QueryCanceled("statement timeout")
    assert await work.take() == 1
    assert work.aside() == []
    await work.take()
    assert work.aside() == ["1"]


async def test_many_at_the_head_that_fail_as_in_an_outage_let_the_others_pass() -> None:
    work = Work(*range(10))
    work.failing = dict.fromkeys(range(5), AWAY)
    with pytest.raises(DependencyUnavailable):
        await work.take()
    assert await work.take() == 5
    assert sorted(work.done) == [5, 6, 7, 8, 9]
    await work.take()
    assert work.aside() == ["0", "1", "2", "3", "4"]


async def test_the_last_one_left_is_tried_at_the_pace_of_the_loop() -> None:
    work = Work(1)
    work.failing[1] = AWAY
    for _ in range(3):
        with pytest.raises(DependencyUnavailable):
            await work.take()
        assert work.tried == [1]
