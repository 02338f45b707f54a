from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.consent.v1 import consent_pb2, consent_service_pb2, notice_pb2, notice_service_pb2
from pellicule.type.v1 import purpose_pb2
from services.chassis.errors import FieldInvalid
from services.chassis.languages import LanguageUnknown
from services.consent.domain.consent import Age, AgeBand, Basis, Choice, Decision, Jurisdiction
from services.consent.translation import requests
from services.keyring import Purpose

_ID = "4f1c3f6e-3a9b-4c1d-9b0e-6f2d1c0b7a11"
_DIGEST = "9f" * 32


def _decide() -> consent_service_pb2.DecideConsentRequest:
    return consent_service_pb2.DecideConsentRequest(
        request_id=_ID,
        notice=f"notices/{_DIGEST}",
        notice_serving=f"noticeServings/{_ID}",
        decisions=[
            consent_pb2.PurposeDecision(purpose=purpose_pb2.PURPOSE_CLOUD_PROCESSING, choice=consent_pb2.CHOICE_GRANT)
        ],
        jurisdiction=consent_pb2.Jurisdiction(region_code="US-CA", basis=consent_pb2.DETERMINATION_BASIS_SELF_DECLARED),
        age=consent_pb2.Age(band=consent_pb2.AGE_BAND_ADULT, basis=consent_pb2.DETERMINATION_BASIS_SELF_DECLARED),
    )


def _shown() -> notice_service_pb2.RecordNoticeServedRequest:
    return notice_service_pb2.RecordNoticeServedRequest(
        request_id=_ID,
        notice=f"notices/{_DIGEST}",
        language_code="fr",
        surface=notice_pb2.SURFACE_CLI,
        build="0.1.0",
        rendered_sha256=bytes.fromhex(_DIGEST),
    )


def _withdraw() -> consent_service_pb2.WithdrawConsentRequest:
    return consent_service_pb2.WithdrawConsentRequest(request_id=_ID, purposes=[purpose_pb2.PURPOSE_LOCATION])


def test_a_decision_is_read_as_it_was_sent() -> None:
    wanted = requests.decision_request(_decide())

    assert (wanted.notice, wanted.serving) == (_DIGEST, UUID(_ID))
    assert wanted.decisions == (Decision(Purpose.CLOUD_PROCESSING, Choice.GRANT),)
    assert wanted.jurisdiction == Jurisdiction("US-CA", Basis.SELF_DECLARED)
    assert wanted.age == Age(AgeBand.ADULT, Basis.SELF_DECLARED)


def test_region_and_age_may_be_left_out() -> None:
    request = _decide()
    request.ClearField("jurisdiction")
    request.ClearField("age")

    wanted = requests.decision_request(request)

    assert (wanted.jurisdiction, wanted.age) == (Jurisdiction(), Age())


def test_older_media_may_have_a_bound() -> None:
    request = _decide()
    bound = Timestamp(seconds=1_700_000_000)
    request.decisions[0].purpose = purpose_pb2.PURPOSE_OLDER_MEDIA
    request.decisions[0].older_media_start_time.CopyFrom(bound)

    (decision,) = requests.decision_request(request).decisions

    assert decision.older_media_start_time == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


_Spoil = Callable[[consent_service_pb2.DecideConsentRequest], object]


@pytest.mark.parametrize(
    ("field", "spoil"),
    [
        ("request_id", lambda r: setattr(r, "request_id", "")),
        ("request_id", lambda r: setattr(r, "request_id", "once more")),
        ("request_id", lambda r: setattr(r, "request_id", f"{{{_ID}}}")),
        ("notice", lambda r: setattr(r, "notice", "")),
        ("notice", lambda r: setattr(r, "notice", "notices/current")),
        ("notice_serving", lambda r: setattr(r, "notice_serving", "")),
        ("notice_serving", lambda r: setattr(r, "notice_serving", f"servings/{_ID}")),
        ("decisions", lambda r: r.ClearField("decisions")),
        ("decisions[0].purpose", lambda r: setattr(r.decisions[0], "purpose", 0)),
        ("decisions[0].purpose", lambda r: setattr(r.decisions[0], "purpose", 99)),
        ("decisions[0].choice", lambda r: setattr(r.decisions[0], "choice", 0)),
        ("decisions[0].choice", lambda r: setattr(r.decisions[0], "choice", 7)),
        ("decisions[1].purpose", lambda r: r.decisions.append(r.decisions[0])),
        ("decisions[0].older_media_start_time", lambda r: r.decisions[0].older_media_start_time.GetCurrentTime()),
        ("jurisdiction.region_code", lambda r: setattr(r.jurisdiction, "region_code", "us-il")),
        ("jurisdiction.region_code", lambda r: setattr(r.jurisdiction, "region_code", "Illinois")),
        ("jurisdiction.basis", lambda r: setattr(r.jurisdiction, "basis", 42)),
        ("age.band", lambda r: setattr(r.age, "band", 42)),
        ("age.basis", lambda r: setattr(r.age, "basis", 42)),
    ],
)
def test_a_wrong_field_of_a_decision_is_named_with_its_remedy(field: str, spoil: _Spoil) -> None:
    request = _decide()
    spoil(request)

    with pytest.raises(FieldInvalid) as refused:
        requests.decision_request(request)

    assert [violation.field for violation in refused.value.violations] == [field]


@pytest.mark.parametrize("basis", ["OPERATOR_DECLARED", "NETWORK", "VERIFIED"])
def test_a_caller_cannot_say_that_something_was_checked(basis: str) -> None:
    claimed = consent_pb2.DeterminationBasis.Value(f"DETERMINATION_BASIS_{basis}")
    request = _decide()
    request.jurisdiction.basis = request.age.basis = claimed

    with pytest.raises(FieldInvalid) as refused:
        requests.decision_request(request)

    assert {each.field for each in refused.value.violations} == {"jurisdiction.basis", "age.basis"}


def test_an_unknown_purpose_is_told_the_purposes_that_there_are() -> None:
    request = _withdraw()
    request.purposes.append(99)  # type: ignore[arg-type]  # what a client of another release may send

    with pytest.raises(FieldInvalid) as refused:
        requests.withdrawal(request)

    assert "purposes[1]: choose one of PURPOSE_CLOUD_PROCESSING" in str(refused.value)


def test_a_time_that_is_none_is_refused() -> None:
    request = _decide()
    request.decisions[0].purpose = purpose_pb2.PURPOSE_OLDER_MEDIA
    request.decisions[0].older_media_start_time.seconds = 10**15

    with pytest.raises(FieldInvalid, match="older_media_start_time"):
        requests.decision_request(request)


def test_a_withdrawal_names_purposes() -> None:
    with pytest.raises(FieldInvalid, match="purposes"):
        requests.withdrawal(consent_service_pb2.WithdrawConsentRequest(request_id=_ID))


def test_a_purpose_named_twice_is_withdrawn_once() -> None:
    request = _withdraw()
    request.purposes.append(purpose_pb2.PURPOSE_LOCATION)

    assert requests.withdrawal(request)[1] == (Purpose.LOCATION,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("request_id", "1"),
        ("notice", "current"),
        ("language_code", ""),
        ("surface", 0),
        ("surface", 9),
        ("build", "x" * 101),
        ("rendered_sha256", b"9" * 31),
    ],
)
def test_a_wrong_field_of_a_serving_is_named(field: str, value: object) -> None:
    request = _shown()
    setattr(request, field, value)

    with pytest.raises(FieldInvalid, match=field):
        requests.notice_display(request)


def test_the_same_request_has_the_same_digest_and_another_one_another() -> None:
    other = _decide()
    other.decisions[0].choice = consent_pb2.CHOICE_REFUSE

    first, again, another = (requests.decision_request(r).request.sha256 for r in [_decide(), _decide(), other])

    assert first == again != another


def test_a_request_that_comes_again_in_another_case_is_the_same() -> None:
    again = _decide()
    again.request_id = _ID.upper()
    again.notice = f"notices/{_DIGEST.upper()}"
    again.notice_serving = f"noticeServings/{_ID.upper()}"

    assert requests.decision_request(again) == requests.decision_request(_decide())


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    request = _decide()
    request.request_id = ""
    request.decisions[0].choice = consent_pb2.CHOICE_UNSPECIFIED
    request.age.band = 42  # type: ignore[assignment]  # what a client of another release may send

    with pytest.raises(FieldInvalid) as refused:
        requests.decision_request(request)

    assert {each.field for each in refused.value.violations} == {"request_id", "decisions[0].choice", "age.band"}


def test_a_page_is_coerced_into_its_bounds() -> None:
    wanted = consent_service_pb2.ListConsentEventsRequest(page_size=5000)

    assert requests.event_page(wanted, "a" * 32).size == 1000


def test_a_page_token_of_another_persons_list_is_refused() -> None:
    first = requests.event_page(consent_service_pb2.ListConsentEventsRequest(), "a" * 32)
    again = consent_service_pb2.ListConsentEventsRequest(page_token=first.next_token("7"))

    assert requests.event_page(again, "a" * 32).cursor == ("7",)
    with pytest.raises(FieldInvalid, match="page_token"):
        requests.event_page(again, "b" * 32)


@pytest.mark.parametrize(("code", "language"), [("", "en"), ("en-US", "en"), ("FR_ca", "fr")])
def test_availability_is_told_in_the_nearest_language(code: str, language: str) -> None:
    wanted = consent_service_pb2.GetAvailabilityRequest(language_code=code)

    assert requests.availability(wanted).language == language


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(LanguageUnknown):
        requests.availability(consent_service_pb2.GetAvailabilityRequest(language_code="tlh"))


def test_a_language_without_words_is_named_beside_all_else_that_is_wrong() -> None:
    nowhere = consent_pb2.Jurisdiction(region_code="?")
    wanted = consent_service_pb2.GetAvailabilityRequest(language_code="tlh", jurisdiction=nowhere)
    with pytest.raises(FieldInvalid) as refused:
        requests.availability(wanted)
    assert [each.field for each in refused.value.violations] == ["jurisdiction.region_code", "language_code"]


def test_the_notice_in_force_has_a_name_of_its_own() -> None:
    assert requests.wanted_notice("notices/current") is None
    assert requests.wanted_notice(f"notices/{_DIGEST}") == _DIGEST
    assert requests.wanted_notice(f"notices/{_DIGEST.upper()}") == _DIGEST
