from datetime import UTC, datetime, timedelta

import pytest

from services.consent.domain.consent import Choice, Decision, EventType, Status
from services.keyring import Purpose
from tests.fakes.consent import Crash
from tests.unit.consent.harness import ADA, Service, grants

CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


async def _crash_while_granting(service: Service, *decisions: Decision, at: str = "finish") -> None:
    service.store.crash_at = at
    with pytest.raises(Crash):
        await service.decide(*decisions)


async def _sweep_later(service: Service) -> None:
    await service.clock.advance(10)
    await service.sweep()


@pytest.mark.parametrize("step", ["begin", "finish"])
async def test_a_grant_that_crashed_leaves_neither_a_grant_nor_a_key(service: Service, step: str) -> None:
    await _crash_while_granting(service, *grants(CLOUD, LOCATION), at=step)

    await _sweep_later(service)

    assert await service.standing() == {}
    assert service.keys.of(ADA) == set()


async def test_a_grant_that_crashed_can_be_asked_for_again_with_the_same_request(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))
    service.store.crash_at = "finish"
    with pytest.raises(Crash):
        await service.send(wanted)

    result = await service.send(wanted)

    assert [event.type for event in result.events] == [EventType.GIVEN]
    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}


async def test_a_renewal_that_crashed_leaves_the_grant_as_it_was(service: Service) -> None:
    bound = datetime(2026, 1, 1, tzinfo=UTC)
    await service.decide(*grants(CLOUD), Decision(Purpose.OLDER_MEDIA, Choice.GRANT, bound))
    before = service.keys.keys[ADA, "OLDER_MEDIA"]
    await service.clock.advance(timedelta(days=30))
    await _crash_while_granting(service, Decision(Purpose.OLDER_MEDIA, Choice.GRANT))

    await _sweep_later(service)

    after = service.keys.keys[ADA, "OLDER_MEDIA"]
    assert (before.expire_time, before.reach_back_time) == (after.expire_time, after.reach_back_time)
    await service.decide(Decision(Purpose.OLDER_MEDIA, Choice.GRANT))
    assert service.keys.keys[ADA, "OLDER_MEDIA"].reach_back_time is None


async def test_of_a_crashed_decision_the_refusal_of_a_grant_is_completed(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)
    await _crash_while_granting(service, *grants(FACES), Decision(LOCATION, Choice.REFUSE))

    await _sweep_later(service)

    assert await service.standing() == {CLOUD: Status.GIVEN, LOCATION: Status.WITHDRAWN}
    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}
