from datetime import timedelta

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import Decision, EventType, Status
from services.consent.operations.read_state import read_state
from services.consent.worker import Worker
from services.keyring import Purpose
from tests.fakes.consent import Crash
from tests.unit.consent.harness import ADA, Service, grants

BEN = "b" * 32
CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


async def _crash_while_granting(service: Service, *decisions: Decision, at: str = "finish") -> None:
    service.store.crash_at = at
    with pytest.raises(Crash):
        await service.decide(*decisions)


async def test_the_sweep_leaves_changes_in_work_alone(service: Service) -> None:
    await _crash_while_granting(service, *grants(CLOUD))

    assert await service.sweep() == 0


async def test_the_sweep_goes_on_when_the_key_service_is_silent(service: Service) -> None:
    await _crash_while_granting(service, *grants(CLOUD))
    await service.clock.advance(10)
    service.keys.silent = True

    with pytest.raises(DependencyUnavailable):
        await service.sweep()

    service.keys.silent = False
    assert await service.sweep() == 1


async def test_a_grant_ends_when_its_time_is_up(service: Service) -> None:
    await service.grant(CLOUD, FACES)
    await service.clock.advance(timedelta(days=190))

    assert await service.expire() == 1

    assert await service.standing() == {CLOUD: Status.GIVEN, FACES: Status.EXPIRED}
    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}
    assert await service.expire() == 0


async def test_what_builds_on_a_grant_ends_with_it(service: Service) -> None:
    await service.grant(CLOUD)
    await service.clock.advance(timedelta(days=300))
    await service.grant(LOCATION)
    await service.clock.advance(timedelta(days=66))

    await service.expire()

    ends = [(e.purpose, e.cascade_of) for e in await service.store.events(ADA, below=None, limit=2)]
    assert sorted(ends) == [(CLOUD, None), (LOCATION, CLOUD)]
    assert service.keys.of(ADA) == set()


async def test_a_grant_that_ran_out_shows_as_expired_before_its_event_is_written(service: Service) -> None:
    result = await service.grant(CLOUD, LOCATION)
    await service.clock.advance(timedelta(days=366))

    state = await read_state(ADA, service.dependencies)

    assert await service.standing() == {CLOUD: Status.EXPIRED, LOCATION: Status.EXPIRED}
    assert result.events[0].expire_time == state.purposes[0].decide_time


async def test_a_grant_that_ran_out_is_given_again_not_renewed(service: Service) -> None:
    await service.grant(CLOUD)
    await service.clock.advance(timedelta(days=366))

    await service.grant(CLOUD)

    events = await service.store.events(ADA, below=None, limit=10)
    assert [event.type for event in events] == [EventType.GIVEN, EventType.EXPIRED, EventType.GIVEN]


async def test_a_grant_does_not_end_while_its_key_cannot_be_destroyed(service: Service) -> None:
    await service.grant(CLOUD)
    await service.clock.advance(timedelta(days=366))
    service.keys.silent = True
    with pytest.raises(DependencyUnavailable):
        await service.expire()
    service.keys.silent = False

    await service.expire()

    assert service.keys.of(ADA) == set()
    assert [e.type for e in await service.store.events(ADA, below=None, limit=1)] == [EventType.EXPIRED]


async def test_one_whose_grant_cannot_be_ended_is_found_again_however_often_was_looked(service: Service) -> None:
    worker = Worker(service.dependencies, service.set_aside)
    for subject in (ADA, BEN):
        await service.grant(CLOUD, subject=subject)
    await service.clock.advance(timedelta(days=366))
    service.store.unreadable.add(ADA)

    assert [await worker.expire() for _ in range(2)] == [1, 0]
    await service.clock.advance(timedelta(hours=2))
    service.store.unreadable.clear()

    assert [await worker.expire() for _ in range(2)] == [1, 0]
    assert service.set_aside.items == {}
