"""Requests, read: what cannot be said in the words of the domain is refused with every field and its remedy."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from google.protobuf.message import Message

from pellicule.consent.v1 import consent_pb2, consent_service_pb2, notice_pb2, notice_service_pb2
from pellicule.type.v1 import purpose_pb2
from services.chassis.fields import Fields, PagedRequest
from services.chassis.languages import is_language_code
from services.chassis.paging import Page, PageQuery
from services.consent.domain.change import Request
from services.consent.domain.consent import Age, AgeBand, Basis, Choice, Decision, Jurisdiction
from services.consent.domain.notice import NoticeDisplay, Surface
from services.consent.domain.policy import REGION_PATTERN
from services.consent.operations.decide import DecisionRequest
from services.keyring import Purpose

CURRENT_NOTICE = "notices/current"
"""In place of a notice's name: the one in force."""

_REGION = re.compile(REGION_PATTERN)
_LONGEST_BUILD = 100
_EVENTS = {"default": 100, "most": 1000}
_NOTICES = {"default": 20, "most": 100}

MessageT = TypeVar("MessageT", bound=Message)


@dataclass(frozen=True)
class AvailabilityRequest:
    """For whom, and in which language, it is asked what is offered."""

    jurisdiction: Jurisdiction
    age: Age
    language: str


def decision_request(request: consent_service_pb2.DecideConsentRequest) -> DecisionRequest:
    """Return what a person asks to be decided.

    Raises:
        FieldInvalid: a field is missing or wrong.
    """
    with Fields() as fields:
        notice = _digest(fields, request.notice, "notice")
        serving = fields.resource(request.notice_serving, "notice_serving", "noticeServings")
        names = {"notice": f"notices/{notice}", "notice_serving": f"noticeServings/{serving}"}
        return DecisionRequest(
            request=_request(fields, request, names),
            notice=notice,
            serving=serving,
            decisions=_decisions(fields, request.decisions),
            jurisdiction=_jurisdiction(fields.within("jurisdiction"), request.jurisdiction),
            age=_age(fields.within("age"), request.age),
        )


def withdrawal(request: consent_service_pb2.WithdrawConsentRequest) -> tuple[Request, tuple[Purpose, ...]]:
    """Return the request and the purposes of a withdrawal.

    Raises:
        FieldInvalid: a field is missing or wrong.
    """
    with Fields() as fields:
        numbers = fields.many(request.purposes, "purposes", least=1, most=100)
        purposes = [_purpose(fields, number, f"purposes[{place}]") for place, number in enumerate(numbers)]
        return _request(fields, request, {}), tuple(dict.fromkeys(purposes))


def notice_display(request: notice_service_pb2.RecordNoticeServedRequest) -> NoticeDisplay:
    """Return what a person was shown.

    Raises:
        FieldInvalid: a field is missing or wrong.
    """
    with Fields() as fields:
        notice = _digest(fields, request.notice, "notice")
        if not is_language_code(request.language_code):
            fields.refuse("language_code", "name the language in which the notice was shown, such as en-US")
        return NoticeDisplay(
            request=_request(fields, request, {"notice": f"notices/{notice}"}),
            notice=notice,
            language_code=request.language_code,
            surface=fields.enum(request.surface, "surface", notice_pb2.Surface.DESCRIPTOR, Surface),
            build=fields.text(request.build, "build", most=_LONGEST_BUILD),
            rendered_sha256=fields.sha256(request.rendered_sha256, "rendered_sha256").hex(),
        )


def availability(request: consent_service_pb2.GetAvailabilityRequest) -> AvailabilityRequest:
    """Return for whom it is asked what is offered.

    Raises:
        FieldInvalid: a field is wrong.
        LanguageUnknown: there are no words in the language.
    """
    with Fields() as fields:
        return AvailabilityRequest(
            jurisdiction=_jurisdiction(fields.within("jurisdiction"), request.jurisdiction),
            age=_age(fields.within("age"), request.age),
            language=fields.language(request.language_code),
        )


def wanted_notice(name: str) -> str | None:
    """Return the digest in the name of a notice, or None for the one in force."""
    if name == CURRENT_NOTICE:
        return None
    with Fields() as fields:
        return _digest(fields, name, "name")


def compared_notices(request: notice_service_pb2.DiffNoticesRequest) -> tuple[str, str]:
    """Return the digests of the older and of the newer notice."""
    with Fields() as fields:
        return _digest(fields, request.old_notice, "old_notice"), _digest(fields, request.new_notice, "new_notice")


def event_page(request: PagedRequest, subject: str) -> Page:
    """Return which page of a person's events is wanted."""
    with Fields() as fields:
        return fields.page(request, PageQuery("ListConsentEvents", subject), **_EVENTS)


def notice_page(request: PagedRequest) -> Page:
    """Return which page of the notices is wanted."""
    with Fields() as fields:
        return fields.page(request, PageQuery("ListNotices", ""), **_NOTICES)


_CLAIMED = frozenset({Basis.UNSPECIFIED, Basis.SELF_DECLARED})
"""What a caller may say of how its region and its age are known."""


def _digest(fields: Fields, name: str, field: str) -> str:
    (digest,) = fields.name(name, field, "notices/{sha256}")
    return digest


def _jurisdiction(fields: Fields, message: consent_pb2.Jurisdiction) -> Jurisdiction:
    if message.region_code and not _REGION.fullmatch(message.region_code):
        wanted = 'write an ISO 3166 code in upper case, such as "CA" or "US-NY", or leave it empty'
        fields.refuse("region_code", wanted)
    return Jurisdiction(message.region_code, _basis(fields, message.basis))


def _age(fields: Fields, message: consent_pb2.Age) -> Age:
    band = fields.enum(message.band, "band", consent_pb2.AgeBand.DESCRIPTOR, AgeBand)
    return Age(band, _basis(fields, message.basis))


def _decisions(fields: Fields, messages: Sequence[consent_pb2.PurposeDecision]) -> tuple[Decision, ...]:
    decisions: dict[int, Decision] = {}
    for inside, message in fields.each(messages, "decisions", least=1, most=100):
        if message.purpose in decisions:
            inside.refuse("purpose", "it is decided twice: decide it once")
        decisions[message.purpose] = _decision(inside, message)
    return tuple(decisions.values())


def _decision(fields: Fields, message: consent_pb2.PurposeDecision) -> Decision:
    purpose = _purpose(fields, message.purpose, "purpose")
    choice = fields.enum(message.choice, "choice", consent_pb2.Choice.DESCRIPTOR, Choice)
    start_time = fields.optional_time(message, "older_media_start_time")
    if start_time is not None and (purpose is not Purpose.OLDER_MEDIA or choice is not Choice.GRANT):
        fields.refuse("older_media_start_time", "leave it out unless OLDER_MEDIA is granted")
    return Decision(purpose, choice, start_time)


def _purpose(fields: Fields, value: int, field: str) -> Purpose:
    return fields.enum(value, field, purpose_pb2.Purpose.DESCRIPTOR, Purpose)


def _basis(fields: Fields, value: int) -> Basis:
    basis = fields.enum(value, "basis", consent_pb2.DeterminationBasis.DESCRIPTOR, Basis)
    if basis not in _CLAIMED:
        fields.refuse("basis", "name SELF_DECLARED, or none: a receipt attests what was checked, and this was not")
    return basis


def _request(fields: Fields, message: MessageT, names: dict[str, str]) -> Request:
    """Return a call as it is recognised when it comes again, in whatever case its names are written."""
    id_ = fields.uuid(message.request_id, "request_id")  # type: ignore[attr-defined]
    canonical = type(message)()
    canonical.CopyFrom(message)
    for field, value in {"request_id": str(id_), **names}.items():
        setattr(canonical, field, value)
    return Request(id_, _sha256(canonical))


def _sha256(message: Message) -> str:
    content = message.DESCRIPTOR.full_name.encode() + b"\0" + message.SerializeToString(deterministic=True)
    return hashlib.sha256(content).hexdigest()
