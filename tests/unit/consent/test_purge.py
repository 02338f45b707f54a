import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import ConsentEvent, EventType, Status
from services.keyring import DataKeyScope, PurgeCause, PurgeOrder, Purpose, PurposeScope, SubjectScope
from tests.unit.consent.harness import ADA, BOB, Service

CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


def _account_deletion(service: Service, subject: str = ADA) -> PurgeOrder:
    now = service.clock.now()
    scope = SubjectScope(7, now, account=True)
    return PurgeOrder("purgeOrders/1", subject, PurgeCause.ACCOUNT_DELETION, scope, now)


def _erasure(service: Service, subject: str = ADA) -> PurgeOrder:
    now = service.clock.now()
    return PurgeOrder("purgeOrders/1", subject, PurgeCause.ERASURE, SubjectScope(7, now), now)


def _loss(service: Service, purpose: Purpose) -> PurgeOrder:
    return PurgeOrder("purgeOrders/1", ADA, PurgeCause.KEY_LOST, PurposeScope(purpose, 7), service.clock.now())


async def _latest(service: Service) -> ConsentEvent:
    (event,) = await service.store.events(ADA, below=None, limit=1)
    return event


class TestAccountDeletion:
    async def test_everything_of_the_person_is_deleted_and_nothing_of_others(self, service: Service) -> None:
        await service.grant(CLOUD, FACES)
        await service.grant(CLOUD, subject=BOB)
        service.keys.erase(ADA, service.clock.now())

        deleted = await service.purge(_account_deletion(service))

        assert deleted == {
            "consent.table.consent_event": 2,
            "consent.table.request": 1,
            "consent.table.notice_serving": 1,
        }
        assert await service.standing() == {}
        assert await service.standing(BOB) == {CLOUD: Status.GIVEN}

    async def test_carried_out_twice_it_deletes_nothing_more(self, service: Service) -> None:
        await service.grant(CLOUD)
        order = _account_deletion(service)
        await service.purge(order)

        assert await service.purge(order) == {}

    async def test_a_consent_given_afterwards_stays(self, service: Service) -> None:
        await service.grant(CLOUD, LOCATION)
        service.keys.erase(ADA, service.clock.now())
        order = _account_deletion(service)
        await service.clock.advance(1)
        await service.grant(CLOUD)

        await service.purge(order)

        assert await service.standing() == {CLOUD: Status.GIVEN}
        assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}

    async def test_a_consent_that_lost_what_it_builds_on_ends(self, service: Service) -> None:
        await service.grant(CLOUD)
        service.keys.erase(ADA, service.clock.now())
        order = _account_deletion(service)
        await service.clock.advance(1)
        await service.grant(LOCATION)

        await service.purge(order)

        assert await service.standing() == {LOCATION: Status.EXPIRED}
        assert service.keys.of(ADA) == set()


class TestErasureOfEverything:
    async def test_grants_end_and_the_record_of_them_stays(self, service: Service) -> None:
        await service.grant(CLOUD, FACES)
        service.keys.erase(ADA, service.clock.now())

        assert await service.purge(_erasure(service)) == {}

        assert await service.standing() == {CLOUD: Status.WITHDRAWN, FACES: Status.WITHDRAWN}
        assert len(await service.store.events(ADA, below=None, limit=10)) == 4

    async def test_other_services_hear_of_it(self, service: Service) -> None:
        await service.grant(CLOUD)
        await service.purge(_erasure(service))

        _, change = service.store.announced[-1]
        assert [event.purpose for event in change.ends] == [CLOUD]

    async def test_what_was_granted_since_stays(self, service: Service) -> None:
        await service.grant(CLOUD, LOCATION)
        service.keys.erase(ADA, service.clock.now())
        order = _erasure(service)
        await service.clock.advance(1)
        await service.grant(CLOUD)

        await service.purge(order)

        assert await service.standing() == {CLOUD: Status.GIVEN, LOCATION: Status.WITHDRAWN}
        assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}

    async def test_carried_out_twice_it_changes_nothing_more(self, service: Service) -> None:
        await service.grant(CLOUD)
        order = _erasure(service)
        await service.purge(order)
        ended = await _latest(service)

        await service.purge(order)

        assert await _latest(service) == ended

    async def test_a_refusal_stays_as_it_is(self, service: Service) -> None:
        await service.grant(CLOUD)
        await service.withdraw(CLOUD)
        before = await _latest(service)

        await service.purge(_erasure(service))

        assert await _latest(service) == before


class TestLostKey:
    async def test_the_grant_ends_and_says_why(self, service: Service) -> None:
        await service.grant(CLOUD, LOCATION)
        service.keys.lose(ADA, LOCATION)

        await service.purge(_loss(service, LOCATION))

        assert await service.standing() == {CLOUD: Status.GIVEN, LOCATION: Status.KEY_LOST}
        assert (await _latest(service)).type is EventType.KEY_LOST
        assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}

    async def test_what_builds_on_it_ends_with_it(self, service: Service) -> None:
        await service.grant(CLOUD, LOCATION)
        service.keys.lose(ADA, CLOUD)

        await service.purge(_loss(service, CLOUD))

        assert await service.standing() == {CLOUD: Status.KEY_LOST, LOCATION: Status.KEY_LOST}
        assert service.keys.of(ADA) == set()

    async def test_asking_again_works(self, service: Service) -> None:
        await service.grant(CLOUD)
        service.keys.lose(ADA, CLOUD)
        await service.purge(_loss(service, CLOUD))

        result = await service.grant(CLOUD)

        assert [event.type for event in result.events] == [EventType.GIVEN]
        assert service.keys.of(ADA) == {"CLOUD_PROCESSING"}

    async def test_a_purpose_that_was_granted_again_meanwhile_stays(self, service: Service) -> None:
        await service.grant(CLOUD)
        order = _loss(service, CLOUD)
        service.keys.lose(ADA, CLOUD)
        await service.grant(CLOUD)

        await service.purge(order)

        assert await service.standing() == {CLOUD: Status.GIVEN}

    async def test_it_waits_while_the_key_service_is_silent(self, service: Service) -> None:
        await service.grant(CLOUD)
        service.keys.silent = True

        with pytest.raises(DependencyUnavailable):
            await service.purge(_loss(service, CLOUD))


async def test_orders_about_artefacts_delete_no_decisions(service: Service) -> None:
    await service.grant(CLOUD)
    order = PurgeOrder("purgeOrders/2", ADA, PurgeCause.DEADLINE, DataKeyScope(("1",)), service.clock.now())

    assert await service.purge(order) == {}
    assert await service.standing() == {CLOUD: Status.GIVEN}


async def test_the_end_of_a_purpose_ends_no_grant_but_for_a_lost_key(service: Service) -> None:
    await service.grant(CLOUD)
    scope = PurposeScope(CLOUD, 7)
    order = PurgeOrder("purgeOrders/2", ADA, PurgeCause.WITHDRAWAL, scope, service.clock.now())

    assert await service.purge(order) == {}
    assert await service.standing() == {CLOUD: Status.GIVEN}
