"""Books that come back from a backup, and a journal that says what was destroyed since."""

from collections.abc import Collection, Mapping

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import Status
from services.consent.operations.replay_journal import replay
from services.journal import Destruction, ErasedPerson, PurposeKeyEnd, person_tag
from services.keyring import Purpose
from tests.unit.consent.harness import ADA, BOB, Service

CLOUD, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.LOCATION
SALT = "5a17"


async def known(salt: str, tags: Collection[str]) -> Mapping[str, str]:
    return {person_tag(salt, subject): subject for subject in (ADA, BOB) if person_tag(salt, subject) in tags}


def withdrawn(subject: str = ADA) -> Destruction:
    return Destruction(SALT, purpose_keys=(PurposeKeyEnd(7, person_tag(SALT, subject)),))


async def test_a_withdrawal_that_the_books_forgot_ends_the_grant(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)
    await service.grant(CLOUD, subject=BOB)
    service.keys.lose(ADA, LOCATION)

    await replay([withdrawn()], known, service.dependencies)

    assert await service.standing() == {CLOUD: Status.GIVEN, LOCATION: Status.KEY_LOST}
    assert await service.standing(BOB) == {CLOUD: Status.GIVEN}


async def test_what_was_granted_again_stays(service: Service) -> None:
    await service.grant(CLOUD)

    await replay([withdrawn(), withdrawn()], known, service.dependencies)

    assert await service.standing() == {CLOUD: Status.GIVEN}


async def test_an_account_that_was_deleted_goes_again(service: Service) -> None:
    await service.grant(CLOUD)
    now = service.clock.now()
    service.keys.erase(ADA, now)
    person = ErasedPerson(person_tag(SALT, ADA), 7, now, account=True)

    await replay([Destruction(SALT, persons=(person,))], known, service.dependencies)

    assert await service.standing() == {}


async def test_a_person_of_whom_nothing_is_known_is_passed_over(service: Service) -> None:
    await replay([withdrawn("c" * 32)], known, service.dependencies)

    assert await service.standing() == {}


async def test_without_the_key_service_nothing_counts_as_replayed(service: Service) -> None:
    await service.grant(CLOUD)
    service.keys.silent = True

    with pytest.raises(DependencyUnavailable):
        await replay([withdrawn()], known, service.dependencies)
