import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.chassis.errors import DependencyUnavailable
from services.consent.domain.consent import Age, AgeBand, Basis, Choice, Decision, EventType, Jurisdiction, Status
from services.consent.errors import (
    NoticeNotServed,
    NoticeSuperseded,
    NoticeUnknown,
    PurposeNeedsAnother,
    PurposeNotAvailable,
    RequestIdReused,
    SubjectErased,
)
from services.keyring import Purpose
from tests.unit.consent.harness import ADA, BOB, Service, grants, next_edition, refusals, request

CLOUD, FACES, LOCATION = Purpose.CLOUD_PROCESSING, Purpose.FACE_GROUPING, Purpose.LOCATION


async def test_a_grant_has_its_key_when_the_call_returns(service: Service) -> None:
    result = await service.grant(CLOUD, LOCATION)

    assert {"CLOUD_PROCESSING", "LOCATION"} == service.keys.of(ADA)
    assert [event.revision for event in result.events] == [1, 2]
    assert await service.standing() == {CLOUD: Status.GIVEN, LOCATION: Status.GIVEN}


async def test_a_grant_is_valid_for_twelve_months_and_face_grouping_for_six(service: Service) -> None:
    result = await service.grant(CLOUD, FACES)

    assert [datetime(2027, 3, 1, 12, tzinfo=UTC), datetime(2026, 9, 1, 12, tzinfo=UTC)] == [
        event.expire_time for event in result.events
    ]


async def test_a_grant_that_still_stands_is_renewed(service: Service) -> None:
    await service.grant(CLOUD)
    await service.clock.advance(timedelta(days=100))

    result = await service.grant(CLOUD)

    assert [event.type for event in result.events] == [EventType.RENEWED]
    assert service.keys.keys[ADA, "CLOUD_PROCESSING"].expire_time == result.events[0].expire_time


async def test_an_event_holds_the_terms_of_the_decision(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))

    (event,) = (await service.send(wanted)).events

    assert (wanted.notice, wanted.serving, wanted.jurisdiction, wanted.age) == (
        event.notice,
        event.serving,
        event.jurisdiction,
        event.age,
    )
    assert service.policy.sha256 == event.policy_sha256


async def test_the_bound_of_older_media_reaches_the_key_service(service: Service) -> None:
    bound = datetime(2025, 1, 1, tzinfo=UTC)

    await service.decide(*grants(CLOUD), Decision(Purpose.OLDER_MEDIA, Choice.GRANT, bound))

    assert bound == service.keys.keys[ADA, "OLDER_MEDIA"].reach_back_time


async def test_refusing_what_was_never_granted_makes_an_event_and_no_key(service: Service) -> None:
    result = await service.decide(*refusals(FACES))

    assert [event.type for event in result.events] == [EventType.REFUSED]
    assert service.keys.of(ADA) == set()


async def test_refusing_works_while_the_key_service_is_silent(service: Service) -> None:
    service.keys.silent = True

    await service.decide(*refusals(CLOUD, FACES))

    assert await service.standing() == {CLOUD: Status.REFUSED, FACES: Status.REFUSED}


async def test_refusing_what_is_granted_withdraws_it_and_what_builds_on_it(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)

    result = await service.decide(*refusals(CLOUD))

    assert [(event.purpose, event.type, event.cascade_of) for event in result.events] == [
        (CLOUD, EventType.WITHDRAWN, None),
        (LOCATION, EventType.WITHDRAWN, CLOUD),
    ]
    assert service.keys.of(ADA) == set()


async def test_a_dependant_that_is_refused_as_well_is_no_cascade(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)

    result = await service.decide(*refusals(LOCATION, CLOUD))

    assert [(event.purpose, event.cascade_of) for event in result.events] == [(LOCATION, None), (CLOUD, None)]


async def test_a_purpose_can_build_on_one_granted_in_the_same_call_whatever_the_order(service: Service) -> None:
    await service.grant(FACES, CLOUD)

    assert {"FACE_GROUPING", "CLOUD_PROCESSING"} == service.keys.of(ADA)


async def test_a_purpose_cannot_be_granted_without_what_it_builds_on(service: Service) -> None:
    with pytest.raises(PurposeNeedsAnother) as refused:
        await service.grant(LOCATION)

    assert refused.value.metadata == {"purpose": "LOCATION", "needs": "CLOUD_PROCESSING"}
    assert service.keys.of(ADA) == set()


async def test_a_purpose_cannot_be_granted_while_what_it_builds_on_is_refused(service: Service) -> None:
    await service.grant(CLOUD)

    with pytest.raises(PurposeNeedsAnother):
        await service.decide(*grants(LOCATION), *refusals(CLOUD))

    assert await service.standing() == {CLOUD: Status.GIVEN}


async def test_an_unknown_notice_cannot_be_decided_under(service: Service) -> None:
    wanted = replace(await service.ask(*grants(CLOUD)), notice="0" * 64)

    with pytest.raises(NoticeUnknown):
        await service.send(wanted)


async def test_a_decision_without_a_serving_is_refused(service: Service) -> None:
    wanted = replace(await service.ask(*grants(CLOUD)), serving=uuid4())

    with pytest.raises(NoticeNotServed):
        await service.send(wanted)


async def test_another_persons_serving_counts_for_nothing(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD), subject=BOB)

    with pytest.raises(NoticeNotServed):
        await service.send(wanted, subject=ADA)


async def _publish_next_edition(service: Service) -> str:
    later = next_edition((await service.notices.current()).notice)
    await service.notices.publish([later], now=service.clock.now())
    return later.digest


async def test_nothing_new_is_granted_under_a_superseded_notice(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))
    newer = await _publish_next_edition(service)

    with pytest.raises(NoticeSuperseded) as refused:
        await service.send(wanted)

    assert {"current": f"notices/{newer}"} == refused.value.metadata


async def test_refusing_works_under_a_superseded_notice(service: Service) -> None:
    wanted = await service.ask(*refusals(CLOUD))
    await _publish_next_edition(service)

    result = await service.send(wanted)

    assert [event.type for event in result.events] == [EventType.REFUSED]


async def test_a_serving_of_another_notice_counts_for_nothing(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))
    newer = await _publish_next_edition(service)

    with pytest.raises(NoticeNotServed):
        await service.send(replace(wanted, notice=newer))


@pytest.mark.parametrize(
    ("jurisdiction", "age"),
    [
        (Jurisdiction(), Age(AgeBand.ADULT, Basis.SELF_DECLARED)),
        (Jurisdiction("US-CA", Basis.SELF_DECLARED), Age()),
        (Jurisdiction("US-CA", Basis.SELF_DECLARED), Age(AgeBand.MINOR, Basis.VERIFIED)),
        (Jurisdiction("FR", Basis.SELF_DECLARED), Age(AgeBand.ADULT, Basis.SELF_DECLARED)),
    ],
)
async def test_policy_can_withhold_a_purpose(service: Service, jurisdiction: Jurisdiction, age: Age) -> None:
    wanted = replace(await service.ask(*grants(CLOUD)), jurisdiction=jurisdiction, age=age)

    with pytest.raises(PurposeNotAvailable) as refused:
        await service.send(wanted)

    assert {"purpose": "CLOUD_PROCESSING", "region": jurisdiction.region_code, "age_band": age.band} == (
        refused.value.metadata
    )


async def test_policy_cannot_prevent_a_refusal(service: Service) -> None:
    wanted = replace(await service.ask(*refusals(CLOUD)), jurisdiction=Jurisdiction(), age=Age())

    assert [event.type for event in (await service.send(wanted)).events] == [EventType.REFUSED]


async def test_a_decision_in_which_one_purpose_fails_changes_nothing(service: Service) -> None:
    wanted = replace(await service.ask(*grants(CLOUD, FACES)), jurisdiction=Jurisdiction("US-IL", Basis.SELF_DECLARED))

    with pytest.raises(PurposeNotAvailable):
        await service.send(wanted)

    assert await service.standing() == {}
    assert service.keys.of(ADA) == set()


async def test_a_repeated_request_gets_the_first_answer(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))
    first = await service.send(wanted)
    await service.withdraw(CLOUD)

    again = await service.send(wanted)

    assert first == again
    assert await service.standing() == {CLOUD: Status.WITHDRAWN}


async def test_a_request_id_cannot_be_used_for_another_request(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))
    await service.send(wanted)

    with pytest.raises(RequestIdReused):
        await service.send(replace(wanted, request=request("2" * 64, wanted.request.id)))


async def test_concurrent_decisions_of_one_person_take_turns(service: Service) -> None:
    await service.grant(CLOUD)

    await asyncio.gather(*(service.grant(purpose) for purpose in [LOCATION, FACES, Purpose.OLDER_MEDIA]))

    events = await service.store.events(ADA, below=None, limit=10)
    assert [event.revision for event in events] == [4, 3, 2, 1]


async def test_concurrent_repeats_of_one_request_decide_once(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))

    first, second = await asyncio.gather(service.send(wanted), service.send(wanted))

    assert first == second
    assert len(await service.store.events(ADA, below=None, limit=10)) == 1


async def test_two_persons_never_see_each_others_decisions(service: Service) -> None:
    await service.grant(CLOUD)

    assert await service.standing(BOB) == {}


async def test_nothing_is_granted_while_the_key_service_is_silent(service: Service) -> None:
    wanted = await service.ask(*grants(CLOUD))
    service.keys.silent = True

    with pytest.raises(DependencyUnavailable):
        await service.send(wanted)

    assert await service.standing() == {}


async def test_a_grant_follows_later_revisions_that_the_key_service_knows(service: Service) -> None:
    service.keys.see(ADA, "CLOUD_PROCESSING", 41)

    result = await service.grant(CLOUD)

    assert [event.revision for event in result.events] == [42]
    assert {"CLOUD_PROCESSING"} == service.keys.of(ADA)


async def test_a_decision_that_an_erasure_overtakes_is_refused_and_leaves_nothing(service: Service) -> None:
    service.keys.erase_times[ADA] = service.clock.now()

    with pytest.raises(SubjectErased):
        await service.grant(CLOUD)

    assert await service.standing() == {}
    assert (await service.store.history(ADA)).pending is None


async def test_every_change_is_announced_with_what_came_and_went(service: Service) -> None:
    await service.grant(CLOUD, LOCATION)
    await service.decide(*refusals(FACES))
    await service.withdraw(LOCATION)

    announced = [
        ([e.purpose for e in change.grants], [e.purpose for e in change.ends]) for _, change in service.store.announced
    ]
    assert announced == [([CLOUD, LOCATION], []), ([], [LOCATION])]
