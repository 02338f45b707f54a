from dataclasses import replace
from datetime import timedelta

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import EventType, Status
from services.consent.errors import RequestIdReused
from services.consent.operations.read_state import read_state
from services.keyring import Purpose
from tests.fakes.consent import Crash
from tests.unit.consent.harness import ADA, BOB, Service, grants, refusals, request

CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


async def test_a_withdrawal_has_destroyed_the_key_when_it_returns(service: Service) -> None:
    await service.grant(CLOUD, FACES)

    result = await service.withdraw(FACES)

    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}
    assert [(event.purpose, event.type) for event in result.events] == [(FACES, EventType.WITHDRAWN)]


async def test_a_withdrawal_takes_along_what_builds_on_it_and_nothing_above(service: Service) -> None:
    await service.grant(CLOUD, FACES, LOCATION)
    await service.withdraw(FACES)

    result = await service.withdraw(CLOUD)

    assert [(event.purpose, event.cascade_of) for event in result.events] == [(CLOUD, None), (LOCATION, CLOUD)]
    assert service.keys.of(ADA) == set()


async def test_a_withdrawal_names_the_notice_of_the_grant_that_it_ends(service: Service) -> None:
    await service.grant(CLOUD)

    (event,) = (await service.withdraw(CLOUD)).events

    assert (service.notice, None, None) == (event.notice, event.serving, event.jurisdiction)


async def test_withdrawing_what_is_not_granted_is_no_error_and_makes_no_event(service: Service) -> None:
    result = await service.withdraw(CLOUD, FACES)

    assert result.events == ()
    assert result.state.revision == 0


async def test_withdrawing_twice_is_no_error(service: Service) -> None:
    await service.grant(CLOUD)
    await service.withdraw(CLOUD)

    assert (await service.withdraw(CLOUD)).events == ()


async def test_a_key_that_the_books_do_not_know_dies_with_a_withdrawal(service: Service) -> None:
    await service.keys.grant(
        subject=ADA,
        purpose="LOCATION",
        revision=1,
        expire_time=service.clock.now() + timedelta(days=1),
        decide_time=service.clock.now(),
    )

    await service.withdraw(CLOUD)

    assert service.keys.of(ADA) == set()


async def test_a_purpose_can_be_granted_again_after_a_withdrawal_that_made_no_event(service: Service) -> None:
    await service.withdraw(CLOUD)

    await service.grant(CLOUD)

    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}


async def test_a_repeated_withdrawal_gets_the_first_answer(service: Service) -> None:
    await service.grant(CLOUD)
    call = request()
    first = await service.withdraw(CLOUD, call=call)
    await service.grant(CLOUD)

    again = await service.withdraw(CLOUD, call=call)

    assert first == again
    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}


async def test_a_request_id_cannot_be_used_for_another_withdrawal(service: Service) -> None:
    call = request("1" * 64)
    await service.withdraw(CLOUD, call=call)

    with pytest.raises(RequestIdReused):
        await service.withdraw(FACES, call=replace(call, sha256="2" * 64))


async def test_another_persons_consent_is_untouched(service: Service) -> None:
    await service.grant(CLOUD, subject=BOB)

    await service.withdraw(CLOUD)

    assert service.keys.of(BOB) == {"CLOUD_PROCESSING"}


async def test_no_withdrawal_is_claimed_while_the_key_service_is_silent(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.silent = True

    with pytest.raises(DependencyUnavailable) as refused:
        await service.withdraw(CLOUD)

    assert refused.value.metadata == {"dependency": "retention"}
    state = await read_state(ADA, service.dependencies)
    assert (state.purposes[0].status, state.purposes[0].end_pending) == (Status.GIVEN, True)


async def test_the_sweep_completes_a_withdrawal_once_the_key_service_answers(service: Service) -> None:
    await service.grant(CLOUD, FACES)
    service.keys.silent = True
    call = request()
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD, call=call)
    service.keys.silent = False
    await service.clock.advance(10)

    assert await service.sweep() == 1

    assert service.keys.of(ADA) == set()
    assert await service.standing() == {CLOUD: Status.WITHDRAWN, FACES: Status.WITHDRAWN}
    assert [e.purpose for e in (await service.withdraw(CLOUD, call=call)).events] == [CLOUD, FACES]


async def test_a_withdrawal_called_again_completes_the_first_one(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.silent = True
    call = request()
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD, call=call)
    service.keys.silent = False

    result = await service.withdraw(CLOUD, call=call)

    assert [event.type for event in result.events] == [EventType.WITHDRAWN]
    assert service.keys.of(ADA) == set()


async def test_a_pending_withdrawals_request_id_cannot_be_used_for_another(service: Service) -> None:
    service.keys.silent = True
    call = request("1" * 64)
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD, call=call)

    with pytest.raises(RequestIdReused):
        await service.withdraw(FACES, call=replace(call, sha256="2" * 64))


async def test_a_withdrawal_is_written_down_even_behind_another_interrupted_change(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)
    service.keys.silent = True
    with pytest.raises(DependencyUnavailable):
        await service.decide(*grants(FACES))
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(LOCATION)
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD)
    service.keys.silent = False
    await service.clock.advance(10)

    await service.sweep()

    assert service.keys.of(ADA) == set()
    assert await service.standing() == {CLOUD: Status.WITHDRAWN, LOCATION: Status.WITHDRAWN}


async def test_nothing_can_be_granted_while_a_withdrawal_is_pending(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.silent = True
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD)

    with pytest.raises(DependencyUnavailable):
        await service.decide(*refusals(FACES))

    assert await service.standing() == {CLOUD: Status.GIVEN}


async def test_a_withdrawal_survives_a_crash_after_its_keys_are_destroyed(service: Service) -> None:
    await service.grant(CLOUD)
    service.store.crash_at = "finish"
    with pytest.raises(Crash):
        await service.withdraw(CLOUD)
    await service.clock.advance(10)

    await service.sweep()

    assert await service.standing() == {CLOUD: Status.WITHDRAWN}
    assert (await service.store.history(ADA)).pending is None


async def test_a_grant_that_ran_out_unnoticed_is_expired_not_withdrawn(service: Service) -> None:
    await service.grant(CLOUD, FACES)
    await service.clock.advance(timedelta(days=190))

    result = await service.withdraw(FACES)

    assert [event.type for event in result.events] == [EventType.EXPIRED]


async def test_a_withdrawal_whose_answer_is_lost_is_completed(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.deaf = True
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD)
    service.keys.deaf = False

    assert (await service.withdraw(CLOUD)).state.purposes[0].status is Status.WITHDRAWN
