"""Requests, read: what cannot be said in the words of the domain is refused with the field and the remedy."""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.consent.v1 import consent_pb2, consent_service_pb2, notice_service_pb2, purpose_pb2
from services.chassis.errors import FieldInvalid
from services.consent.domain.change import Request
from services.consent.domain.consent import Age, AgeBand, Basis, Choice, Decision, Jurisdiction
from services.consent.domain.notice import EDITION_PATTERN, NoticeDisplay
from services.consent.domain.policy import REGION_PATTERN
from services.consent.operations.decide import DecisionRequest
from services.keyring import Purpose

CURRENT_NOTICE = "current"
"""In place of a digest: the notice in force."""

_DIGEST = re.compile(r"[0-9a-f]{64}")
_REGION = re.compile(REGION_PATTERN)
_REVISION = re.compile(r"[0-9]{1,18}")
_EDITION = re.compile(EDITION_PATTERN)
_SURFACES = ("cli", "ios", "android", "web")
_LONGEST_BUILD = 100
_UNSPECIFIED = "UNSPECIFIED"

EnumT = TypeVar("EnumT", bound=StrEnum)


def decision_request(request: consent_service_pb2.DecideConsentRequest) -> DecisionRequest:
    """Returns what a person asks to be decided.

    Raises:
        FieldInvalid: a field is missing or wrong.
    """
    return DecisionRequest(
        request=_request(request.request_id, request),
        notice=notice_digest(request.notice, "notice"),
        serving=_id(request.notice_serving, "noticeServings", "notice_serving"),
        decisions=_decisions(request.decisions),
        jurisdiction=jurisdiction(request.jurisdiction),
        age=age(request.age),
    )


def withdrawal(request: consent_service_pb2.WithdrawConsentRequest) -> tuple[Request, tuple[Purpose, ...]]:
    """Returns the request and the purposes of a withdrawal.

    Raises:
        FieldInvalid: a field is missing or wrong.
    """
    if not request.purposes:
        raise FieldInvalid.of("purposes", "name one or more purposes to withdraw")
    purposes = (_purpose(value, f"purposes[{place}]") for place, value in enumerate(request.purposes))
    return _request(request.request_id, request), tuple(dict.fromkeys(purposes))


def notice_display(request: notice_service_pb2.RecordNoticeServedRequest) -> NoticeDisplay:
    """Returns what a person was shown.

    Raises:
        FieldInvalid: a field is missing or wrong.
    """
    if request.surface not in _SURFACES:
        raise FieldInvalid.of("surface", f"choose one of {', '.join(_SURFACES)}")
    if not 0 < len(request.build) <= _LONGEST_BUILD:
        raise FieldInvalid.of("build", f"name the build of the application in 1 to {_LONGEST_BUILD} characters")
    if not _DIGEST.fullmatch(request.rendered_sha256):
        raise FieldInvalid.of("rendered_sha256", "send the SHA-256 of the rendered text as 64 lower-case hex digits")
    return NoticeDisplay(
        request=_request(request.request_id, request),
        notice=notice_digest(request.notice, "notice"),
        locale=request.locale,
        surface=request.surface,
        build=request.build,
        rendered_sha256=request.rendered_sha256,
    )


def jurisdiction(message: consent_pb2.Jurisdiction) -> Jurisdiction:
    """Returns where a person is."""
    field = "jurisdiction.region_code"
    if message.region_code and not _REGION.fullmatch(message.region_code):
        raise FieldInvalid.of(field, 'write an ISO 3166 code in upper case, such as "CA" or "US-NY", or leave it empty')
    return Jurisdiction(message.region_code, _basis(message.basis, "jurisdiction.basis"))


def age(message: consent_pb2.Age) -> Age:
    """Returns how old a person is."""
    band = _member(message.band, consent_pb2.AgeBand.DESCRIPTOR, "AGE_BAND_", AgeBand, "age.band")
    return Age(band, _basis(message.basis, "age.basis"))


def notice_digest(name: str, field: str) -> str:
    """Returns the digest in the name of a notice."""
    digest = _after("notices", name)
    if digest is None or not _DIGEST.fullmatch(digest):
        raise FieldInvalid.of(field, "write notices/ and the notice's SHA-256 as 64 lower-case hex digits")
    return digest


def wanted_notice(name: str) -> str | None:
    """Returns the digest in the name of a notice, or None for `notices/current`."""
    return None if _after("notices", name) == CURRENT_NOTICE else notice_digest(name, "name")


def page_size(value: int, *, default: int, largest: int) -> int:
    """Returns how many rows a page has."""
    if not 0 <= value <= largest:
        raise FieldInvalid.of("page_size", f"choose a value from 1 to {largest}, or 0 for {default}")
    return value or default


def page_token(position: str) -> str:
    """Returns the token of the page that begins after a position."""
    return base64.urlsafe_b64encode(position.encode()).decode()


def revision_position(token: str) -> int | None:
    """Returns the revision in a page token; None for the first page."""
    text = _position(token, _REVISION)
    return None if text is None else int(text)


def edition_position(token: str) -> str | None:
    """Returns the edition in a page token; None for the first page."""
    return _position(token, _EDITION)


def _position(token: str, form: re.Pattern[str]) -> str | None:
    if not token:
        return None
    try:
        position = base64.b64decode(token, altchars=b"-_", validate=True).decode("ascii")
    except ValueError:
        position = ""
    if not form.fullmatch(position):
        raise FieldInvalid.of("page_token", "send the next_page_token of the page before, unaltered")
    return position


def _decisions(messages: Sequence[consent_pb2.PurposeDecision]) -> tuple[Decision, ...]:
    if not messages:
        raise FieldInvalid.of("decisions", "decide at least one purpose")
    decisions = tuple(_decision(message, f"decisions[{place}]") for place, message in enumerate(messages))
    purposes = [decision.purpose for decision in decisions]
    for place, purpose in enumerate(purposes):
        if purpose in purposes[:place]:
            raise FieldInvalid.of(f"decisions[{place}].purpose", f"{purpose} is decided twice: decide it once")
    return decisions


def _decision(message: consent_pb2.PurposeDecision, field: str) -> Decision:
    purpose = _purpose(message.purpose, f"{field}.purpose")
    choice = _member(message.choice, consent_pb2.Choice.DESCRIPTOR, "CHOICE_", Choice, f"{field}.choice")
    if not message.HasField("older_media_start_time"):
        return Decision(purpose, choice)
    bound = f"{field}.older_media_start_time"
    if purpose is not Purpose.OLDER_MEDIA or choice is not Choice.GRANT:
        raise FieldInvalid.of(bound, "leave it out unless OLDER_MEDIA is granted")
    return Decision(purpose, choice, _time(message.older_media_start_time, bound))


def _purpose(value: int, field: str) -> Purpose:
    return _member(value, purpose_pb2.Purpose.DESCRIPTOR, "PURPOSE_", Purpose, field)


def _basis(value: int, field: str) -> Basis:
    return _member(value, consent_pb2.DeterminationBasis.DESCRIPTOR, "DETERMINATION_BASIS_", Basis, field)


def _member(value: int, descriptor: EnumDescriptor, prefix: str, members: type[EnumT], field: str) -> EnumT:
    """Returns the domain's member for an enum value; a value that this release does not know is refused."""
    known = descriptor.values_by_number.get(value)
    name = known.name.removeprefix(prefix) if known else None
    if name not in {member.value for member in members}:
        choices = ", ".join(f"{prefix}{member}" for member in members if member != _UNSPECIFIED)
        raise FieldInvalid.of(field, f"{value} is not one of its values: choose one of {choices}")
    return members(name)


def _time(message: Timestamp, field: str) -> datetime:
    try:
        return message.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise FieldInvalid.of(field, "send a time between the years 1 and 9999") from error


def _request(request_id: str, message: Message) -> Request:
    if not _is_uuid(request_id):
        raise FieldInvalid.of("request_id", "send a new UUID with every new request, such as that of uuidgen")
    content = message.DESCRIPTOR.full_name.encode() + b"\0" + message.SerializeToString(deterministic=True)
    return Request(UUID(request_id), hashlib.sha256(content).hexdigest())


def _id(name: str, collection: str, field: str) -> UUID:
    text = _after(collection, name)
    if text is None or not _is_uuid(text):
        raise FieldInvalid.of(field, f"write {collection}/ and a UUID")
    return UUID(text)


def _after(collection: str, name: str) -> str | None:
    head, _, rest = name.partition("/")
    return rest if head == collection else None


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
