"""Books that were restored from a copy, or failed over to an older replica: retention knows of later decisions."""

from datetime import timedelta

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import Status
from services.keyring import Purpose
from tests.unit.consent.harness import ADA, Service, refusals

CLOUD = Purpose.CLOUD_PROCESSING
LOCATION = Purpose.LOCATION


async def test_a_withdrawal_kills_a_key_that_the_books_know_nothing_of(service: Service) -> None:
    before = service.store.backup(ADA)
    for _ in range(3):
        await service.grant(CLOUD, LOCATION)
    service.store.restore(ADA, before)

    await service.withdraw(CLOUD)

    assert service.keys.of(ADA) == set()


async def test_a_withdrawal_kills_a_renewed_key_and_revisions_go_on_from_there(service: Service) -> None:
    await service.grant(CLOUD)
    before = service.store.backup(ADA)
    for _ in range(3):
        last = await service.grant(CLOUD, LOCATION)
    service.store.restore(ADA, before)

    result = await service.withdraw(CLOUD)

    assert service.keys.of(ADA) == set()
    assert result.state.revision > last.state.revision
    assert [event.revision for event in result.events] == [result.state.revision]
    assert await service.standing() == {CLOUD: Status.WITHDRAWN}


async def test_a_refusal_and_an_expiry_kill_it_as_well(service: Service) -> None:
    await service.grant(CLOUD)
    before = service.store.backup(ADA)
    for _ in range(3):
        await service.grant(CLOUD, LOCATION)
    service.store.restore(ADA, before)
    await service.decide(*refusals(CLOUD))
    assert service.keys.of(ADA) == set()

    service.store.restore(ADA, before)
    await service.grant(CLOUD)
    service.clock.set(service.clock.now() + timedelta(days=400))
    await service.expire()
    assert service.keys.of(ADA) == set()


async def test_an_interrupted_withdrawal_is_completed_past_what_the_books_know(service: Service) -> None:
    await service.grant(CLOUD)
    before = service.store.backup(ADA)
    for _ in range(3):
        await service.grant(CLOUD)
    service.store.restore(ADA, before)
    service.keys.silent = True
    with pytest.raises(DependencyUnavailable):
        await service.withdraw(CLOUD)
    service.keys.silent = False
    service.clock.set(service.clock.now() + timedelta(minutes=1))

    assert await service.sweep() == 1

    assert service.keys.of(ADA) == set()
    assert await service.standing() == {CLOUD: Status.WITHDRAWN}


async def test_an_interrupted_renewal_is_granted_again_past_what_the_books_know(service: Service) -> None:
    await service.grant(CLOUD)
    before = service.store.backup(ADA)
    for _ in range(5):
        await service.grant(CLOUD)
    service.store.restore(ADA, before)
    service.keys.silent = True
    with pytest.raises(DependencyUnavailable):
        await service.grant(CLOUD)
    service.keys.silent = False
    service.clock.set(service.clock.now() + timedelta(minutes=1))

    assert await service.sweep() == 1

    assert service.keys.of(ADA) == {CLOUD}
    assert await service.standing() == {CLOUD: Status.GIVEN}
