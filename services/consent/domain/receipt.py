"""Receipts: a decision as a signed statement, for the person to keep."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from services.consent.domain.consent import ConsentEvent

SCHEMA = "pellicule.consent-receipt/1"
Statement: TypeAlias = dict[str, str | int | dict[str, str] | None]


@dataclass(frozen=True)
class Receipt:
    """A signed statement of one event.

    Attributes:
        canonical_json: What is stated; personal.
        signature: 64 bytes over `canonical_json`.
        key_id: The first 16 hex digits of the SHA-256 of the public key.
        public_key: 32 bytes.
    """

    canonical_json: bytes
    signature: bytes
    key_id: str
    public_key: bytes


def statement(event: ConsentEvent, *, subject: str) -> Statement:
    """Return what a receipt states of an event of a person (pseudonym)."""
    return {
        "schema": SCHEMA,
        "event": f"consentEvents/{event.id}",
        "subject": subject,
        "revision": event.revision,
        "purpose": event.purpose.value,
        "type": event.type.value,
        "event_time": _time(event.event_time),
        "expire_time": _time(event.expire_time),
        "notice": f"notices/{event.notice}",
        "notice_serving": None if event.serving is None else f"noticeServings/{event.serving}",
        "jurisdiction": None if event.jurisdiction is None else _plain(asdict(event.jurisdiction)),
        "age": None if event.age is None else _plain(asdict(event.age)),
        "policy_sha256": event.policy_sha256 or None,
        "cascade_of": None if event.cascade_of is None else event.cascade_of.value,
        "older_media_start_time": _time(event.older_media_start_time),
    }


def _plain(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items()}


def _time(time: datetime | None) -> str | None:
    if time is None:
        return None
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
