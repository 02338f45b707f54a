import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.chassis.limits.fair_turns import FairTurns
from services.chassis.limits.shares import ShareLimits, Shares
from tests.fakes.clock import FakeClock

ADA, BOB, EVE = "a" * 32, "b" * 32, "e" * 32


class Callers:
    """Callers whose work takes turns until they are told to end it."""

    def __init__(self, turns: FairTurns) -> None:
        self._shares = Shares(ShareLimits(starts_at_once=1000), FakeClock())
        self._turns = turns
        self.working: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}

    async def come(self, caller: str, count: int = 1) -> list["asyncio.Task[None]"]:
        tasks = [asyncio.create_task(self._work(caller)) for _ in range(count)]
        await let_all_run()
        return tasks

    async def one_ends(self, caller: str) -> None:
        self.ends[caller].set()
        await let_all_run()
        self.ends[caller].clear()

    async def _work(self, caller: str) -> None:
        end = self.ends.setdefault(caller, asyncio.Event())
        if caller:
            async with self._shares.hold(caller, is_stream=True), self._turns.turn():
                await self._until(caller, end)
        else:
            async with self._turns.turn():
                await self._until(caller, end)

    async def _until(self, caller: str, end: asyncio.Event) -> None:
        self.working.append(caller)
        try:
            await end.wait()
            end.clear()
        finally:
            self.working.remove(caller)


async def let_all_run() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@asynccontextmanager
async def callers(places: int, shared: int | None = None) -> AsyncIterator[Callers]:
    made = Callers(FairTurns(places, shared=shared))
    try:
        yield made
    finally:
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await let_all_run()


async def test_who_is_alone_has_all_places() -> None:
    async with callers(8) as all_:
        await all_.come(ADA, 20)
        assert all_.working == [ADA] * 8


async def test_beside_others_nobody_has_more_than_a_part() -> None:
    async with callers(8, shared=2) as all_:
        await all_.come(BOB)
        await all_.come(ADA, 20)
        assert sorted(all_.working) == [ADA, ADA, BOB]


async def test_those_who_wait_are_served_in_turn_however_many_one_has_waiting() -> None:
    async with callers(2) as all_:
        await all_.come(ADA, 20)
        await all_.come(BOB, 2)
        await all_.come(EVE)
        await all_.one_ends(ADA)
        await all_.one_ends(ADA)
        assert sorted(all_.working) == [BOB, EVE]


async def test_work_of_nobody_has_no_limit_but_the_places() -> None:
    async with callers(4) as all_:
        await all_.come(ADA)
        await all_.come(BOB)
        await all_.come("", 9)
        assert sorted(all_.working) == ["", "", ADA, BOB]


async def test_who_gives_up_while_waiting_leaves_the_turn_to_others() -> None:
    async with callers(1) as all_:
        await all_.come(ADA)
        [gone] = await all_.come(BOB)
        await all_.come(EVE)
        gone.cancel()
        await all_.one_ends(ADA)
        assert all_.working == [EVE]


async def test_who_gives_up_in_the_moment_of_the_turn_leaves_it_to_others() -> None:
    async with callers(1) as all_:
        await all_.come(ADA)
        [gone] = await all_.come(BOB)
        await all_.come(EVE)
        all_.ends[ADA].set()
        for _ in range(10):
            await asyncio.sleep(0)
            if not all_.working:
                gone.cancel()
        await let_all_run()
        assert all_.working == [EVE]
