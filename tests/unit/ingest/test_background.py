import asyncio

from services.chassis.calls import Call, enter_call, seconds_left
from services.chassis.errors import DependencyUnavailable
from services.ingest.operations.background import SECONDS, BackgroundWork


async def test_it_has_a_deadline_of_its_own() -> None:
    enter_call(Call("/s/M", "request-1", expires_at=asyncio.get_running_loop().time() - 1))
    left: list[float | None] = []

    async def look() -> None:
        left.append(seconds_left())

    await BackgroundWork().run(look())
    assert left[0] is not None
    assert 0 < left[0] <= SECONDS


async def test_it_goes_on_when_its_caller_is_cancelled() -> None:
    background, may_go_on, done = BackgroundWork(), asyncio.Event(), []

    async def work() -> None:
        await may_go_on.wait()
        done.append(True)

    call = asyncio.create_task(background.run(work()))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call})
    may_go_on.set()
    await background.finish()
    assert done == [True]


async def test_a_failure_does_not_come_up_in_the_call() -> None:
    async def fail() -> None:
        raise DependencyUnavailable.of("object-store")

    await BackgroundWork().run(fail())
