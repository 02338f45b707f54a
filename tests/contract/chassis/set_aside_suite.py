"""Suite that every `SetAside` passes."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.failed_work.set_aside import FIRST_PAUSE, LONGEST_PAUSE, Item, SetAside

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class SetAsideSuite(ABC):
    """Collected through its subclasses, each of which brings one that is empty."""

    @pytest.fixture
    @abstractmethod
    def set_aside(self) -> SetAside:
        """Return it."""

    async def test_what_was_set_aside_comes_again_after_a_pause(self, set_aside: SetAside) -> None:
        await set_aside.put("order", Item("1", "ada"), "KeyError", NOW)
        assert await set_aside.of_kind("order", NOW) == {"1": NOW + FIRST_PAUSE}

    async def test_each_time_it_is_set_aside_for_longer_up_to_an_hour(self, set_aside: SetAside) -> None:
        pauses = []
        for _ in range(20):
            await set_aside.put("order", Item("1", "ada"), "KeyError", NOW)
            pauses.append((await set_aside.of_kind("order", NOW))["1"] - NOW)
        assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
        assert pauses[-1] == LONGEST_PAUSE

    async def test_what_succeeded_is_set_aside_no_more(self, set_aside: SetAside) -> None:
        await set_aside.put("order", Item("1", "ada"), "KeyError", NOW)
        await set_aside.clear("order", "1")
        assert await set_aside.of_kind("order", NOW) == {}

    async def test_kinds_know_nothing_of_each_other(self, set_aside: SetAside) -> None:
        await set_aside.put("order", Item("1", "ada"), "KeyError", NOW)
        await set_aside.clear("upload", "1")
        assert await set_aside.of_kind("upload", NOW) == {}
        assert list(await set_aside.of_kind("order", NOW)) == ["1"]

    async def test_what_belongs_to_a_person_goes_with_them(self, set_aside: SetAside) -> None:
        await set_aside.put("order", Item("1", "ada"), "KeyError", NOW)
        await set_aside.put("order", Item("2", "bob"), "KeyError", NOW)
        await set_aside.forget("ada")
        assert list(await set_aside.of_kind("order", NOW)) == ["2"]

    async def test_what_is_there_no_more_is_forgotten(self, set_aside: SetAside) -> None:
        await set_aside.put("order", Item("1", "ada"), "KeyError", NOW)
        assert await set_aside.of_kind("order", NOW + timedelta(days=2)) == {}
        assert await set_aside.of_kind("order", NOW) == {}
