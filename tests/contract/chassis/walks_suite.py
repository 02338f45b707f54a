"""Suite that every `Walks` passes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis import orphans
from services.chassis.orphans import OrphanSweep, Page, Walks
from tests.fakes.clock import FakeClock
from tests.fakes.object_store import FakeObjectStore

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


class WalksSuite(ABC):
    """Collected through its subclasses, each of which brings walks of which none has begun."""

    @pytest.fixture
    @abstractmethod
    def walks(self) -> Walks:
        """Return the walks."""

    async def test_one_at_a_time_reads_a_page(self, walks: Walks) -> None:
        assert await walks.begin_page("media", NOW, LATER) == ""
        assert await walks.begin_page("media", NOW, LATER) is None
        assert await walks.begin_page("renditions", NOW, LATER) == ""

    async def test_a_page_whose_reader_died_is_read_by_another(self, walks: Walks) -> None:
        await walks.begin_page("media", NOW, LATER)
        assert await walks.begin_page("media", LATER, LATER + timedelta(minutes=5)) == ""

    async def test_the_walk_goes_on_where_it_came_to(self, walks: Walks) -> None:
        await walks.begin_page("media", NOW, LATER)
        await walks.end_page("media", "k", NOW)
        assert await walks.begin_page("media", NOW, LATER) == "k"

    async def test_an_orphan_is_known_since_it_was_seen_first(self, walks: Walks) -> None:
        await walks.note("media", Page("", ["a", "b"]), {"a"}, NOW)
        assert await walks.note("media", Page("", ["a", "b"]), {"a", "b"}, LATER) == {"a": NOW, "b": LATER}

    async def test_what_is_named_or_gone_is_an_orphan_no_more(self, walks: Walks) -> None:
        await walks.note("media", Page("", ["a", "b"]), {"a", "b"}, NOW)
        await walks.note("media", Page("", ["b"]), set(), LATER)
        assert await walks.note("media", Page("", ["a", "b"]), {"a", "b"}, LATER) == {"a": LATER, "b": LATER}

    async def test_orphans_of_other_pages_and_buckets_stay(self, walks: Walks, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(orphans, "PAGE", 1)
        await walks.note("renditions", Page("", ["b"]), {"b"}, NOW)
        for after, name in (("", "a"), ("a", "b"), ("b", "c")):
            await walks.note("media", Page(after, [name]), {name}, NOW)
        await walks.note("media", Page("a", ["b"]), set(), LATER)
        assert await walks.note("media", Page("", ["a", "c"]), {"a", "c"}, LATER) == {"a": NOW, "c": NOW}
        assert await walks.note("renditions", Page("", ["b"]), {"b"}, LATER) == {"b": NOW}

    async def test_a_removed_orphan_is_forgotten(self, walks: Walks) -> None:
        await walks.note("media", Page("", ["a"]), {"a"}, NOW)
        await walks.forget("media", ["a"])
        assert await walks.note("media", Page("", ["a"]), {"a"}, LATER) == {"a": LATER}

    async def test_the_grace_of_an_orphan_outlives_the_process(self, walks: Walks) -> None:
        clock, objects = FakeClock(NOW), FakeObjectStore()
        await objects.put("media", "stray", b"sealed")
        for _ in range(5):
            assert await sweep(walks, clock, objects).run() == 0
            await clock.advance(timedelta(minutes=12))
        assert await sweep(walks, clock, objects).run() == 1
        assert objects.objects == {}


def sweep(walks: Walks, clock: FakeClock, objects: FakeObjectStore) -> OrphanSweep:
    """Return what a process that has just begun would sweep with."""

    async def unknown(names: Sequence[str]) -> set[str]:
        return {"stray"} & set(names)

    return OrphanSweep(objects, "media", unknown, walks, clock, timedelta(hours=1), timedelta(days=32))
