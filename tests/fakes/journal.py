"""Journals in memory: the objects of one, and what those who destroy see of it."""

from datetime import UTC, datetime

from services.chassis.errors import DependencyUnavailable


class FakeJournalObjects:
    """Implements `JournalObjects`; `objects` is open for a test to tear and to lose."""

    def __init__(self) -> None:
        self.objects: dict[int, bytes] = {}
        self.times: dict[int, datetime] = {}
        self.away = False

    async def create(self, number: int, data: bytes) -> bool:
        self._answer()
        self.times.setdefault(number, datetime.now(UTC))
        return self.objects.setdefault(number, data) is data

    async def read(self, number: int) -> bytes | None:
        self._answer()
        return self.objects.get(number)

    async def newest(self, after: int = -1) -> int | None:
        self._answer()
        return max((number for number in self.objects if number > after), default=None)

    async def store_time(self, number: int) -> datetime | None:
        self._answer()
        return self.times.get(number)

    def _answer(self) -> None:
        if self.away:
            raise DependencyUnavailable.of("journal")


class FakeDestructionJournal:
    """Implements `DestructionJournal`; it has all at once, unless it is away."""

    def __init__(self) -> None:
        self.away = False

    async def written(self) -> None:
        if self.away:
            raise DependencyUnavailable.of("journal")

    def wake(self) -> None:
        """Nothing is pending."""
