"""Responses, written."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.consent.v1 import consent_pb2, consent_service_pb2, notice_pb2
from pellicule.type.v1 import purpose_pb2
from services.consent.domain.availability import Availability
from services.consent.domain.consent import Age, ConsentEvent, ConsentState, Jurisdiction, PurposeState, Status
from services.consent.domain.notice import NoticeServing, NoticeText, PublishedNotice, PurposeFacts
from services.consent.domain.receipt import Receipt
from services.keyring import Purpose


def purpose(value: Purpose) -> purpose_pb2.Purpose.ValueType:
    """Return the enum value of a purpose."""
    return purpose_pb2.Purpose.Value(f"PURPOSE_{value}")


def notice(published: PublishedNotice) -> notice_pb2.Notice:
    """Return a notice with all its texts."""
    bundle = published.notice.bundle
    return notice_pb2.Notice(
        name=notice_name(published.notice.digest),
        publish_time=_time(published.publish_time),
        current=published.current,
        texts=[_text(language, text) for language, text in sorted(bundle.texts.items())],
        purposes=[_facts(each, bundle.purposes[each]) for each in Purpose if each in bundle.purposes],
        canonical_json=published.notice.canonical_json,
    )


def notice_name(digest: str) -> str:
    """Return the resource name of a notice; empty for no notice."""
    return digest and f"notices/{digest}"


def serving(record: NoticeServing) -> notice_pb2.NoticeServing:
    """Return the record of a notice shown."""
    return notice_pb2.NoticeServing(
        name=f"noticeServings/{record.id}",
        notice=notice_name(record.notice),
        language_code=record.language_code,
        surface=notice_pb2.Surface.Value(f"SURFACE_{record.surface}"),
        build=record.build,
        rendered_sha256=bytes.fromhex(record.rendered_sha256),
        serve_time=_time(record.serve_time),
    )


def state(value: ConsentState) -> consent_pb2.ConsentState:
    """Return everything that holds for a person."""
    return consent_pb2.ConsentState(revision=value.revision, purposes=map(_purpose_state, value.purposes))


def event(value: ConsentEvent) -> consent_pb2.ConsentEvent:
    """Return an event."""
    return consent_pb2.ConsentEvent(
        name=f"consentEvents/{value.id}",
        revision=value.revision,
        purpose=purpose(value.purpose),
        type=consent_pb2.ConsentEventType.Value(f"CONSENT_EVENT_TYPE_{value.type}"),
        event_time=_time(value.event_time),
        expire_time=_time(value.expire_time),
        notice=notice_name(value.notice),
        notice_serving="" if value.serving is None else f"noticeServings/{value.serving}",
        jurisdiction=_jurisdiction(value.jurisdiction),
        age=_age(value.age),
        policy_sha256=bytes.fromhex(value.policy_sha256),
        cascade_of=purpose_pb2.PURPOSE_UNSPECIFIED if value.cascade_of is None else purpose(value.cascade_of),
        older_media_start_time=_time(value.older_media_start_time),
    )


def receipt(value: Receipt) -> consent_pb2.ConsentReceipt:
    """Return a receipt."""
    return consent_pb2.ConsentReceipt(
        canonical_json=value.canonical_json,
        signature=value.signature,
        key_id=value.key_id,
        public_key=value.public_key,
    )


def availability(value: Availability) -> consent_service_pb2.PurposeAvailability:
    """Return whether a purpose is offered."""
    return consent_service_pb2.PurposeAvailability(
        purpose=purpose(value.purpose),
        available=value.available,
        reason=consent_service_pb2.AvailabilityReason.Value(f"AVAILABILITY_REASON_{value.reason}"),
        reason_text=value.reason_text,
        remedy_text=value.remedy_text,
    )


def _text(language: str, text: NoticeText) -> notice_pb2.NoticeText:
    return notice_pb2.NoticeText(
        language_code=language,
        title=text.title,
        body=text.body,
        purposes=[
            notice_pb2.PurposeText(
                purpose=purpose(each), title=text.purposes[each].title, body=text.purposes[each].body
            )
            for each in Purpose
            if each in text.purposes
        ],
    )


def _facts(value: Purpose, facts: PurposeFacts) -> notice_pb2.NoticePurpose:
    return notice_pb2.NoticePurpose(
        purpose=purpose(value),
        retention_days=facts.retention_days,
        validity_months=facts.validity_months,
        needs=map(purpose, facts.needs),
        recipients=facts.recipients,
    )


def _purpose_state(value: PurposeState) -> consent_pb2.PurposeState:
    return consent_pb2.PurposeState(
        purpose=purpose(value.purpose),
        status=_status(value.status),
        decide_time=_time(value.decide_time),
        expire_time=_time(value.expire_time),
        notice=notice_name(value.notice),
        older_media_start_time=_time(value.older_media_start_time),
        end_pending=value.end_pending,
    )


def _jurisdiction(value: Jurisdiction | None) -> consent_pb2.Jurisdiction | None:
    if value is None:
        return None
    basis = consent_pb2.DeterminationBasis.Value(f"DETERMINATION_BASIS_{value.basis}")
    return consent_pb2.Jurisdiction(region_code=value.region_code, basis=basis)


def _age(value: Age | None) -> consent_pb2.Age | None:
    if value is None:
        return None
    basis = consent_pb2.DeterminationBasis.Value(f"DETERMINATION_BASIS_{value.basis}")
    return consent_pb2.Age(band=consent_pb2.AgeBand.Value(f"AGE_BAND_{value.band}"), basis=basis)


def _status(value: Status) -> consent_pb2.ConsentStatus.ValueType:
    return consent_pb2.ConsentStatus.Value(f"CONSENT_STATUS_{value}")


def _time(value: datetime | None) -> Timestamp | None:
    if value is None:
        return None
    message = Timestamp()
    message.FromDatetime(value)
    return message
