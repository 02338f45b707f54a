from services.consent.domain.consent import Status
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, Purpose, SubjectScope
from tests.unit.consent.harness import ADA, BOB, Service

CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


def _erasure(service: Service, subject: str = ADA) -> PurgeOrder:
    now = service.clock.now()
    return PurgeOrder("purgeOrders/1", subject, PurgeCause.ERASURE, SubjectScope(7, now), now)


async def test_an_erasure_deletes_everything_of_the_person_and_nothing_of_others(service: Service) -> None:
    await service.grant(CLOUD, FACES)
    await service.grant(CLOUD, subject=BOB)
    service.keys.erase(ADA, service.clock.now())

    deleted = await service.purge(_erasure(service))

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
    await service.purge(order)

    assert await service.purge(order) == {}


async def test_a_consent_given_after_the_erasure_stays(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)
    service.keys.erase(ADA, service.clock.now())
    order = _erasure(service)
    await service.clock.advance(1)
    await service.grant(CLOUD)

    await service.purge(order)

    assert await service.standing() == {CLOUD: Status.RENEWED}
    assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}


async def test_a_consent_that_lost_what_it_builds_on_to_an_erasure_ends(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.erase(ADA, service.clock.now())
    order = _erasure(service)
    await service.clock.advance(1)
    await service.grant(LOCATION)

    await service.purge(order)

    assert await service.standing() == {LOCATION: Status.EXPIRED}
    assert service.keys.of(ADA) == set()


async def test_orders_about_artefacts_delete_no_decisions(service: Service) -> None:
    await service.grant(CLOUD)
    order = PurgeOrder("purgeOrders/2", ADA, PurgeCause.DEADLINE, DataKeyScope(("1",)), service.clock.now())

    assert await service.purge(order) == {}
    assert await service.standing() == {CLOUD: Status.GIVEN}
