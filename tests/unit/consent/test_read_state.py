import asyncio

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import ConsentState, Status
from services.consent.operations.read_state import read_state, watch_state
from services.keyring import Purpose
from tests.unit.consent.harness import ADA, BOB, Service

CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


async def test_a_watcher_sees_the_state_now_and_after_every_change(service: Service) -> None:
    states = watch_state(ADA, service.dependencies)

    async def watched() -> list[ConsentState]:
        return [await anext(states) for _ in range(2)]

    watching = asyncio.create_task(watched())
    await asyncio.sleep(0)
    await service.grant(CLOUD, subject=BOB)
    await service.grant(CLOUD)

    first, second = await asyncio.wait_for(watching, 1)
    assert (first.purposes[0].status, second.purposes[0].status) == (Status.UNASKED, Status.GIVEN)
    await states.aclose()


async def test_a_watcher_sees_that_a_withdrawal_is_pending(service: Service) -> None:
    await service.grant(CLOUD)
    states = watch_state(ADA, service.dependencies)
    await anext(states)
    service.keys.silent = True
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD)

    assert (await asyncio.wait_for(anext(states), 1)).purposes[0].end_pending
    await states.aclose()


async def test_everything_starts_unasked(service: Service) -> None:
    state = await read_state(ADA, service.dependencies)

    assert [row.status for row in state.purposes] == [Status.UNASKED] * len(Purpose)
    assert state.revision == 0


async def test_after_an_erasure_of_everything_nothing_stands_before_the_books_hear_of_it(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)
    service.keys.erase(ADA, service.clock.now())
    state = await read_state(ADA, service.dependencies)
    stood = {each.purpose: each.status for each in state.purposes if each.status is not Status.UNASKED}
    assert stood == {CLOUD: Status.WITHDRAWN, LOCATION: Status.WITHDRAWN}


async def test_while_the_key_service_is_silent_the_books_say_what_stands(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.silent = True
    state = await read_state(ADA, service.dependencies)
    assert state.purposes[0].status is Status.GIVEN
