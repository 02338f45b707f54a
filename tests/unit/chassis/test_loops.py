import asyncio
from contextlib import suppress

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from services.chassis.errors import DependencyUnavailable
from services.chassis.loops import Wall, enduring
from services.chassis.metrics import LOOP_FAILURES, Measurements
from services.chassis.supervision import supervised
from tests.fakes.clock import FakeClock
from tests.fakes.measured import points


class Steps:
    """Fails as it is told, and remembers when it was called."""

    def __init__(self, clock: FakeClock, *failures: Exception | None) -> None:
        self.times = list[float]()
        self._clock = clock
        self._failures = list(failures)

    async def __call__(self) -> None:
        self.times.append(self._clock.monotonic())
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure


async def run(clock: FakeClock, wall: Wall, steps: Steps, seconds: int) -> None:
    async with supervised([lambda: wall.repeat(steps, 10)]):
        await clock.advance(0)
        for _ in range(seconds):
            await clock.advance(1)


async def test_a_cancellation_that_a_library_kept_to_itself_ends_the_loop() -> None:
    begun = asyncio.Event()

    async def deaf() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    loop = asyncio.create_task(Wall("loop", FakeClock()).repeat(deaf, 0))
    await begun.wait()
    loop.cancel()
    await asyncio.wait([loop], timeout=10)
    assert loop.cancelled()


async def test_a_fault_does_not_end_the_loop_and_its_pauses_grow() -> None:
    clock = FakeClock()
    steps = Steps(clock, *(KeyError(number) for number in range(4)))
    await run(clock, Wall("loop", clock), steps, 26)
    assert steps.times == [0, 1, 3, 7, 15, 25]


async def test_steps_that_share_a_loop_rest_each_for_itself() -> None:
    clock = FakeClock()
    wall, steps = Wall("loop", clock), Steps(clock, KeyError(1), KeyError(2))
    for _ in range(8):
        await wall.attempt_when_rested(steps)
        await clock.advance(0.5)
    assert steps.times == [0, 1, 3, 3.5]


async def test_an_outage_is_looked_at_again_soon_however_long_it_lasts() -> None:
    clock = FakeClock()
    steps = Steps(clock, *(DependencyUnavailable.of("database") for _ in range(6)))
    await run(clock, Wall("loop", clock), steps, 23)
    assert steps.times == [0, 1, 3, 7, 12, 17, 22]


async def test_failures_are_counted_by_what_they_are() -> None:
    clock, reader = FakeClock(), InMemoryMetricReader()
    wall = Wall("loop", clock, Measurements(MeterProvider([reader]).get_meter("test")))
    await run(clock, wall, Steps(clock, KeyError(), DependencyUnavailable.of("database")), 5)
    assert points(reader, LOOP_FAILURES) == [
        ({"loop": "loop", "outcome": "fault"}, 1),
        ({"loop": "loop", "outcome": "outage"}, 1),
    ]


async def test_a_task_that_fails_begins_again() -> None:
    clock = FakeClock()
    steps = Steps(clock, RuntimeError("no"))
    async with supervised([enduring(steps, clock)]):
        await clock.advance(0)
        await clock.advance(1)
    assert steps.times == [0, 1]


async def test_a_task_that_returns_is_done() -> None:
    clock = FakeClock()
    steps = Steps(clock)
    await asyncio.wait_for(enduring(steps, clock)(), 1)
    assert steps.times == [0]


async def test_a_task_can_be_cancelled() -> None:
    clock = FakeClock()
    async with asyncio.timeout(1):
        async with supervised([enduring(lambda: clock.sleep(1), clock)]):
            await clock.advance(0)
