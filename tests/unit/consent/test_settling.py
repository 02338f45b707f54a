import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent import operations
from services.consent.domain import Choice, ConsentState, Decision, Purpose, Status
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, SubjectScope
from tests.fakes.consent import Crash
from tests.unit.consent.service import ADA, BOB, Service, grants

CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


async def _crash_while_granting(service: Service, *decisions: Decision, at: str = "finish") -> None:
    service.store.crash_at = at
    with pytest.raises(Crash):
        await service.decide(*decisions)


async def _sweep_later(service: Service) -> None:
    await service.clock.advance(10)
    await service.worker.sweep()


@pytest.mark.parametrize("step", ["begin", "finish"])
async def test_a_grant_that_crashed_leaves_neither_a_grant_nor_a_key(service: Service, step: str) -> None:
    await _crash_while_granting(service, *grants(CLOUD, LOCATION), at=step)

    await _sweep_later(service)

    assert await service.standing() == {}
    assert service.keys.of(ADA) == set()


async def test_a_grant_that_crashed_can_be_asked_for_again_with_the_same_request(service: Service) -> None:
    asked = await service.ask(*grants(CLOUD))
    service.store.crash_at = "finish"
    with pytest.raises(Crash):
        await service.answer(asked)

    answer = await service.answer(asked)

    assert [event.status for event in answer.events] == [Status.GIVEN]
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


async def test_the_sweep_leaves_changes_in_work_alone(service: Service) -> None:
    await _crash_while_granting(service, *grants(CLOUD))

    assert await service.worker.sweep() == 0


async def test_the_sweep_goes_on_when_the_key_service_is_silent(service: Service) -> None:
    await _crash_while_granting(service, *grants(CLOUD))
    await service.clock.advance(10)
    service.keys.silent = True

    assert await service.worker.sweep() == 0

    service.keys.silent = False
    assert await service.worker.sweep() == 1


async def test_a_grant_ends_when_its_time_is_up(service: Service) -> None:
    await service.grant(CLOUD, FACES)
    await service.clock.advance(timedelta(days=190))

    assert await service.worker.expire() == 1

    assert await service.standing() == {CLOUD: Status.GIVEN, FACES: Status.EXPIRED}
    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}
    assert await service.worker.expire() == 0


async def test_what_builds_on_a_grant_ends_with_it(service: Service) -> None:
    await service.grant(CLOUD)
    await service.clock.advance(timedelta(days=300))
    await service.grant(LOCATION)
    await service.clock.advance(timedelta(days=66))

    await service.worker.expire()

    ends = [(e.purpose, e.cascade_of) for e in await service.store.events(ADA, below=None, limit=2)]
    assert sorted(ends) == [(CLOUD, None), (LOCATION, CLOUD)]
    assert service.keys.of(ADA) == set()


async def test_a_grant_that_ran_out_shows_as_expired_before_its_event_is_written(service: Service) -> None:
    answer = await service.grant(CLOUD, LOCATION)
    await service.clock.advance(timedelta(days=366))

    state = await operations.state(subject=ADA, store=service.store, clock=service.clock)

    assert await service.standing() == {CLOUD: Status.EXPIRED, LOCATION: Status.EXPIRED}
    assert answer.events[0].expire_time == state.purposes[0].decide_time


async def test_a_grant_that_ran_out_is_given_again_not_renewed(service: Service) -> None:
    await service.grant(CLOUD)
    await service.clock.advance(timedelta(days=366))

    await service.grant(CLOUD)

    events = await service.store.events(ADA, below=None, limit=10)
    assert [event.status for event in events] == [Status.GIVEN, Status.EXPIRED, Status.GIVEN]


async def test_a_grant_does_not_end_while_its_key_cannot_be_destroyed(service: Service) -> None:
    await service.grant(CLOUD)
    await service.clock.advance(timedelta(days=366))
    service.keys.silent = True
    await service.worker.expire()
    service.keys.silent = False

    await service.worker.expire()

    assert service.keys.of(ADA) == set()
    assert [e.status for e in await service.store.events(ADA, below=None, limit=1)] == [Status.EXPIRED]


def _erasure(service: Service, subject: str = ADA) -> PurgeOrder:
    now = service.clock.now()
    return PurgeOrder("purgeOrders/1", subject, PurgeCause.ERASURE, SubjectScope(7, now), now)


async def test_an_erasure_deletes_everything_of_the_person_and_nothing_of_others(service: Service) -> None:
    await service.grant(CLOUD, FACES)
    await service.grant(CLOUD, subject=BOB)
    service.keys.erase(ADA, service.clock.now())

    deleted = await service.worker.carry_out_purge(_erasure(service))

    assert deleted == {
        "consent.table.consent_event": 2,
        "consent.table.request": 1,
        "consent.table.notice_serving": 1,
    }
    assert await service.standing() == {}
    assert await service.standing(BOB) == {CLOUD: Status.GIVEN}


async def test_an_erasure_carried_out_twice_deletes_nothing_more(service: Service) -> None:
    await service.grant(CLOUD)
    order = _erasure(service)
    await service.worker.carry_out_purge(order)

    assert await service.worker.carry_out_purge(order) == {}


async def test_a_consent_given_after_the_erasure_stays(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)
    service.keys.erase(ADA, service.clock.now())
    order = _erasure(service)
    await service.clock.advance(1)
    await service.grant(CLOUD)

    await service.worker.carry_out_purge(order)

    assert await service.standing() == {CLOUD: Status.RENEWED}
    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}


async def test_a_consent_that_lost_what_it_builds_on_to_an_erasure_ends(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.erase(ADA, service.clock.now())
    order = _erasure(service)
    await service.clock.advance(1)
    await service.grant(LOCATION)

    await service.worker.carry_out_purge(order)

    assert await service.standing() == {LOCATION: Status.EXPIRED}
    assert service.keys.of(ADA) == set()


async def test_orders_about_artefacts_delete_no_decisions(service: Service) -> None:
    await service.grant(CLOUD)
    order = PurgeOrder("purgeOrders/2", ADA, PurgeCause.DEADLINE, DataKeyScope(("1",)), service.clock.now())

    assert await service.worker.carry_out_purge(order) == {}
    assert await service.standing() == {CLOUD: Status.GIVEN}


async def test_a_watcher_sees_the_state_now_and_after_every_change(service: Service) -> None:
    states = operations.watch(subject=ADA, store=service.store, feed=service.store.feed, clock=service.clock)

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
    states = operations.watch(subject=ADA, store=service.store, feed=service.store.feed, clock=service.clock)
    await anext(states)
    service.keys.silent = True
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD)

    assert (await asyncio.wait_for(anext(states), 1)).purposes[0].end_pending
    await states.aclose()
