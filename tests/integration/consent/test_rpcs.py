"""The service as its callers meet it: TLS, tokens, every interceptor, real keys."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import grpc
import pytest

from pellicule.consent.v1 import (
    consent_pb2,
    consent_service_pb2,
    consent_service_pb2_grpc,
    notice_pb2,
    notice_service_pb2,
    notice_service_pb2_grpc,
)
from pellicule.internal.consent.v1 import consent_changed_pb2
from services.chassis.database import Pool
from services.consent.receipts.signer import verify
from tests.contract.consent.store_suite import NOW, POLICY, RELEASED, edition
from tests.integration.consent.harness import CALIFORNIA, OF_AGE, Person, RunningConsent, number, refusal, standing


async def test_everything_starts_unasked(ada: Person) -> None:
    assert await ada.state() == {}


async def test_a_grant_gives_other_services_keys_at_once(ada: Person) -> None:
    assert not await ada.can_seal("LOCATION")

    response = await ada.grant("CLOUD_PROCESSING", "LOCATION")

    assert standing(response.state) == {"CLOUD_PROCESSING": "GIVEN", "LOCATION": "GIVEN"}
    assert await ada.can_seal("LOCATION")
    assert not await ada.can_seal("FACE_GROUPING")


async def test_a_withdrawal_takes_the_keys_before_it_returns(ada: Person) -> None:
    await ada.grant("CLOUD_PROCESSING", "FACE_GROUPING")

    response = await ada.withdraw("CLOUD_PROCESSING")

    assert not await ada.can_seal("CLOUD_PROCESSING")
    assert not await ada.can_seal("FACE_GROUPING")
    assert standing(response.state) == {"CLOUD_PROCESSING": "WITHDRAWN", "FACE_GROUPING": "WITHDRAWN"}
    assert [event.cascade_of for event in response.events] == [0, number("CLOUD_PROCESSING")]


async def test_withdrawing_what_was_never_granted_is_no_error(ada: Person) -> None:
    for _ in range(2):
        assert list((await ada.withdraw("MODEL_IMPROVEMENT")).events) == []


async def test_what_was_withdrawn_can_be_granted_again(ada: Person) -> None:
    await ada.grant("CLOUD_PROCESSING")
    await ada.withdraw("CLOUD_PROCESSING")

    await ada.grant("CLOUD_PROCESSING")

    assert await ada.can_seal("CLOUD_PROCESSING")


async def test_refusing_everything_costs_nothing_and_makes_no_key(ada: Person) -> None:
    response = await ada.decide(await ada.decision(refuse=("CLOUD_PROCESSING", "FACE_GROUPING")))

    assert standing(response.state) == {"CLOUD_PROCESSING": "REFUSED", "FACE_GROUPING": "REFUSED"}
    assert not await ada.can_seal("CLOUD_PROCESSING")


async def test_the_notice_in_force_can_be_read_by_anyone(consent: RunningConsent) -> None:
    stub = notice_service_pb2_grpc.NoticeServiceStub(consent.channel)

    notice = (await stub.GetNotice(notice_service_pb2.GetNoticeRequest(name="notices/current"))).notice

    assert notice.name == f"notices/{RELEASED().digest}"
    assert notice.canonical_json == RELEASED().canonical_json
    assert [text.language_code for text in notice.texts] == ["en", "fr"]
    assert all(len(text.purposes) == len(POLICY().offered) for text in notice.texts)
    assert [len(facts.recipients) for facts in notice.purposes] == [0] * len(POLICY().offered)


async def test_notices_are_listed_newest_first_in_pages(consent: RunningConsent) -> None:
    await consent.notices.publish([edition("2099-01-01")], now=NOW)
    stub = notice_service_pb2_grpc.NoticeServiceStub(consent.channel)

    first = await stub.ListNotices(notice_service_pb2.ListNoticesRequest(page_size=1))
    second = await stub.ListNotices(
        notice_service_pb2.ListNoticesRequest(page_size=1, page_token=first.next_page_token)
    )

    assert [notice.current for notice in first.notices] == [True]
    assert [notice.name for notice in second.notices] == [f"notices/{RELEASED().digest}"]
    assert second.next_page_token


async def test_the_difference_of_two_notices_names_the_purposes_to_ask_again(consent: RunningConsent) -> None:
    newer = edition("2099-01-01")
    await consent.notices.publish([newer], now=NOW)
    stub = notice_service_pb2_grpc.NoticeServiceStub(consent.channel)

    response = await stub.DiffNotices(
        notice_service_pb2.DiffNoticesRequest(
            old_notice=f"notices/{RELEASED().digest}", new_notice=f"notices/{newer.digest}"
        )
    )

    assert list(response.changed_purposes) == []


async def test_nothing_new_is_granted_under_a_superseded_notice(consent: RunningConsent, ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))
    await consent.notices.publish([edition("2099-01-01")], now=NOW)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ada.decide(request)

    assert refusal(refused.value).reason == "NOTICE_SUPERSEDED"


async def test_a_withdrawal_works_under_any_notice(consent: RunningConsent, ada: Person) -> None:
    await ada.grant("CLOUD_PROCESSING")
    await consent.notices.publish([edition("2099-01-01")], now=NOW)

    assert standing((await ada.withdraw("CLOUD_PROCESSING")).state) == {"CLOUD_PROCESSING": "WITHDRAWN"}


async def test_an_unknown_notice_is_refused(ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))
    request.notice = "notices/" + "0" * 64

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ada.decide(request)

    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert refusal(refused.value).reason == "NOTICE_UNKNOWN"


async def test_another_persons_serving_counts_for_nothing(ada: Person, ben: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ben.decide(request)

    assert refusal(refused.value).reason == "NOTICE_NOT_SERVED"
    assert await ben.state() == {}


async def test_an_unknown_purpose_is_refused_with_those_that_there_are(ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))
    request.decisions[0].purpose = 99  # type: ignore[assignment]  # what a client of another release may send

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ada.decide(request)

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(refused.value).reason == "FIELD_INVALID"
    assert "decisions[0].purpose: " in (refused.value.details() or "")
    assert "PURPOSE_CLOUD_PROCESSING" in (refused.value.details() or "")


async def test_an_unknown_language_is_refused(ada: Person, consent: RunningConsent) -> None:
    request = notice_service_pb2.RecordNoticeServedRequest(
        request_id=str(uuid4()),
        notice=await ada.read_notice(),
        language_code="tlh",
        surface=notice_pb2.SURFACE_WEB,
        build="1",
        rendered_sha256=b"f" * 32,
    )

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await notice_service_pb2_grpc.NoticeServiceStub(consent.channel).RecordNoticeServed(
            request, metadata=ada.metadata
        )

    assert refusal(refused.value).metadata == {"language_code": "tlh", "language_codes": "en, fr"}


async def test_a_purpose_that_policy_withholds_is_refused_with_the_reason(ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING", "FACE_GROUPING"))
    request.jurisdiction.region_code = "US-TX"

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ada.decide(request)

    assert refusal(refused.value).metadata == {"purpose": "FACE_GROUPING", "region": "US-TX", "age_band": "ADULT"}
    assert "Texas" in (refused.value.details() or "")
    assert await ada.state() == {}


async def test_a_purpose_needs_what_it_builds_on(ada: Person) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ada.grant("LOCATION")

    assert refusal(refused.value).reason == "PURPOSE_NEEDS_ANOTHER"


async def test_availability_says_what_is_offered_why_not_and_what_to_do(consent: RunningConsent) -> None:
    stub = consent_service_pb2_grpc.ConsentServiceStub(consent.channel)

    known = await stub.GetAvailability(consent_service_pb2.GetAvailabilityRequest(jurisdiction=CALIFORNIA, age=OF_AGE))
    unknown = await stub.GetAvailability(consent_service_pb2.GetAvailabilityRequest())

    assert [row.available for row in known.purposes] == [True] * 4 + [False] * 2
    assert {row.reason for row in known.purposes[4:]} == {consent_service_pb2.AVAILABILITY_REASON_PURPOSE_NOT_OFFERED}
    assert [row.available for row in unknown.purposes] == [False] * 6
    assert all(row.reason and row.reason_text and row.remedy_text for row in unknown.purposes[:4])
    assert known.policy_sha256 == unknown.policy_sha256


async def test_a_repeated_decision_gets_the_first_answer(ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))
    first = await ada.decide(request)
    await ada.withdraw("CLOUD_PROCESSING")

    assert await ada.decide(request) == first
    assert not await ada.can_seal("CLOUD_PROCESSING")


async def test_a_request_id_cannot_be_used_for_another_request(ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))
    await ada.decide(request)
    request.decisions[0].choice = consent_pb2.CHOICE_REFUSE

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ada.decide(request)

    assert refused.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert refusal(refused.value).reason == "REQUEST_ID_REUSED"


async def test_concurrent_repeats_decide_once(ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING", "LOCATION"))

    answers = await asyncio.gather(*(ada.decide(request) for _ in range(6)))

    assert all(answer == answers[0] for answer in answers)
    assert len((await ada.events()).events) == 2


async def test_concurrent_decisions_and_withdrawals_leave_books_and_keys_in_step(ada: Person) -> None:
    await ada.grant("CLOUD_PROCESSING")
    purposes = ["LOCATION", "FACE_GROUPING", "OLDER_MEDIA"]

    await asyncio.gather(*(ada.grant(name) for name in purposes), *(ada.withdraw(name) for name in purposes))

    state = await ada.state()
    for name in purposes:
        assert (state.get(name) == "GIVEN") == await ada.can_seal(name)
    revisions = [event.revision for event in (await ada.events()).events]
    assert revisions == sorted(set(revisions), reverse=True)


async def test_many_persons_decide_at_once(consent: RunningConsent) -> None:
    people = [consent.person() for _ in range(24)]

    await asyncio.gather(*(person.grant("CLOUD_PROCESSING") for person in people))

    assert [await person.state() for person in people] == [{"CLOUD_PROCESSING": "GIVEN"}] * 24


async def test_events_are_listed_newest_first_with_receipts_that_verify(ada: Person) -> None:
    await ada.grant("CLOUD_PROCESSING", "LOCATION")
    await ada.withdraw("LOCATION")

    first = await ada.events(size=2)
    second = await ada.events(size=2, token=first.next_page_token)

    events, receipts = [*first.events, *second.events], [*first.receipts, *second.receipts]
    assert [event.revision for event in events] == [3, 2, 1]
    assert second.next_page_token == ""
    for event, receipt in zip(events, receipts, strict=True):
        assert verify(receipt.canonical_json, receipt.signature, receipt.public_key)
        stated = json.loads(receipt.canonical_json)
        assert (stated["event"], stated["subject"]) == (event.name, ada.subject)


async def test_a_receipt_asked_for_again_is_the_same(ada: Person) -> None:
    response = await ada.grant("CLOUD_PROCESSING")

    assert list((await ada.events()).receipts) == list(response.receipts)


async def test_an_event_holds_what_was_decided_under_what_terms(ada: Person) -> None:
    request = await ada.decision(grant=("CLOUD_PROCESSING",))

    (event,) = (await ada.decide(request)).events

    assert (event.notice, event.notice_serving) == (request.notice, request.notice_serving)
    assert (event.jurisdiction, event.age) == (CALIFORNIA, OF_AGE)
    assert len(event.policy_sha256) == 32
    assert event.expire_time.ToDatetime() - event.event_time.ToDatetime() >= timedelta(days=365)


@pytest.mark.parametrize(("size", "token", "field"), [(-1, "", "page_size"), (0, "!", "page_token")])
async def test_a_wrong_page_is_refused(ada: Person, size: int, token: str, field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ada.events(size=size, token=token)

    assert (refused.value.details() or "").startswith(field)


async def test_two_persons_never_see_each_others_anything(ada: Person, ben: Person) -> None:
    await ada.grant("CLOUD_PROCESSING")

    assert await ben.state() == {}
    assert list((await ben.events()).events) == []
    assert not await ben.can_seal("CLOUD_PROCESSING")


async def test_a_watcher_is_told_of_every_change(ada: Person, ben: Person) -> None:
    watching = ada.watch()
    states = aiter(watching)
    first = await anext(states)
    await ben.grant("CLOUD_PROCESSING")
    await ada.grant("CLOUD_PROCESSING")

    async with asyncio.timeout(10):
        while standing((await anext(states)).state) != {"CLOUD_PROCESSING": "GIVEN"}:
            pass

    assert standing(first.state) == {}
    watching.cancel()


async def test_a_watcher_is_told_that_their_token_has_expired(ada: Person, consent: RunningConsent) -> None:
    # Its time is over, but for the leeway that clocks are given.
    token = consent.harness.token("ada", ttl=timedelta(seconds=-4))
    watching = consent_service_pb2_grpc.ConsentServiceStub(consent.channel).WatchConsent(
        consent_service_pb2.WatchConsentRequest(), metadata=(("authorization", f"Bearer {token}"),)
    )

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with asyncio.timeout(10):
            _ = [state async for state in watching]

    assert refusal(refused.value).reason == "TOKEN_EXPIRED"


async def test_a_request_id_is_good_for_one_request_whatever_the_call(ada: Person, consent: RunningConsent) -> None:
    decision = await ada.decision(grant=("CLOUD_PROCESSING",))
    await ada.decide(decision)
    shown = notice_service_pb2.RecordNoticeServedRequest(
        request_id=decision.request_id,
        notice=decision.notice,
        language_code="fr-CA",
        surface=notice_pb2.SURFACE_IOS,
        rendered_sha256=b"f" * 32,
    )
    notices = notice_service_pb2_grpc.NoticeServiceStub(consent.channel)
    other = await ada.decision(refuse=("LOCATION",))
    other.request_id = decision.request_id.upper()

    for call in (
        lambda: ada.withdraw("LOCATION", request_id=decision.request_id),
        lambda: ada.decide(other),
        lambda: notices.RecordNoticeServed(shown, metadata=ada.metadata),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call()
        assert refusal(refused.value).reason == "REQUEST_ID_REUSED"


async def test_a_notice_is_recorded_in_the_language_of_its_text(ada: Person, consent: RunningConsent) -> None:
    request = notice_service_pb2.RecordNoticeServedRequest(
        request_id=str(uuid4()),
        notice=await ada.read_notice(),
        language_code="en-US",
        surface=notice_pb2.SURFACE_ANDROID,
        rendered_sha256=b"f" * 32,
    )
    stub = notice_service_pb2_grpc.NoticeServiceStub(consent.channel)

    record = (await stub.RecordNoticeServed(request, metadata=ada.metadata)).notice_serving

    assert (record.language_code, record.surface) == ("en", notice_pb2.SURFACE_ANDROID)
    assert record.rendered_sha256 == request.rendered_sha256


async def test_availability_is_told_in_the_language_asked_for(consent: RunningConsent) -> None:
    stub = consent_service_pb2_grpc.ConsentServiceStub(consent.channel)

    told = await stub.GetAvailability(consent_service_pb2.GetAvailabilityRequest(language_code="fr-CH"))

    assert {row.reason for row in told.purposes[:4]} == {consent_service_pb2.AVAILABILITY_REASON_AGE_UNKNOWN}
    assert "âge" in told.purposes[0].reason_text


async def test_a_call_without_a_token_is_refused(consent: RunningConsent) -> None:
    stub = consent_service_pb2_grpc.ConsentServiceStub(consent.channel)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.GetConsentState(consent_service_pb2.GetConsentStateRequest())

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert refusal(refused.value).reason == "TOKEN_MISSING"


async def test_an_expired_token_is_refused(consent: RunningConsent) -> None:
    stub = consent_service_pb2_grpc.ConsentServiceStub(consent.channel)
    token = consent.harness.token("ada", ttl=timedelta(minutes=-1))

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.WithdrawConsent(
            consent_service_pb2.WithdrawConsentRequest(request_id=str(uuid4()), purposes=[number("LOCATION")]),
            metadata=(("authorization", f"Bearer {token}"),),
        )

    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert refusal(refused.value).reason == "TOKEN_EXPIRED"


async def test_every_change_is_announced_on_its_way_to_the_bus(ada: Person, pool: Pool) -> None:
    await ada.grant("CLOUD_PROCESSING", "LOCATION")
    await ada.decide(await ada.decision(refuse=("FACE_GROUPING",)))
    await ada.withdraw("CLOUD_PROCESSING")

    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT type, body FROM outbox ORDER BY position")
        rows = await cursor.fetchall()
    announced = [consent_changed_pb2.ConsentChanged.FromString(body) for _, body in rows]
    assert {type_ for type_, _ in rows} == {"pellicule.internal.consent.v1.ConsentChanged"}
    assert [(list(event.granted), list(event.revoked), event.revision) for event in announced] == [
        ([1, 3], [], 2),
        ([], [1, 3], 5),
    ]
    assert {event.subject for event in announced} == {ada.subject}
