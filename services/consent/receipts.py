"""Receipts: a decision as RFC 8785 canonical JSON, signed with Ed25519 (RFC 8032), for the person to keep.

A receipt is a pure function of the event and the key: asked for again it is the same, bit for bit. Checking one
needs nothing but its bytes, its signature and a public key that one trusts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.consent.domain import ConsentEvent

SCHEMA = "pellicule.consent-receipt/1"
_KEY_ID_DIGITS = 16


class ReceiptKeyInvalid(ValueError):
    """The file of the receipt key cannot be used; the message names it and the remedy."""


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


class ReceiptSigner:
    """Signs with the key of this installation."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Returns the signer with the Ed25519 private key in a PEM file (PKCS #8, not encrypted).

        Raises:
            ReceiptKeyInvalid: there is no such key in the file.
        """
        remedy = "make one with `openssl genpkey -algorithm ed25519`"
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise ReceiptKeyInvalid(f"{path}: holds no private key in clear PEM: {remedy}") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ReceiptKeyInvalid(f"{path}: holds a key of another kind: {remedy}")
        return cls(key)

    def sign(self, event: ConsentEvent, *, subject: str) -> Receipt:
        """Returns the receipt of an event of a person (pseudonym)."""
        content = canonical_json(event, subject=subject)
        return Receipt(content, self._key.sign(content), key_id(self.public_key), self.public_key)


def key_id(public_key: bytes) -> str:
    """Returns the short name of a public key of 32 bytes."""
    return hashlib.sha256(public_key).hexdigest()[:_KEY_ID_DIGITS]


def verify(canonical: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tells whether a receipt was signed with the key that belongs to `public_key`, and not altered since."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, canonical)
    except (InvalidSignature, ValueError):
        return False
    return True


def canonical_json(event: ConsentEvent, *, subject: str) -> bytes:
    """Returns what a receipt states of an event, in the one form that RFC 8785 allows."""
    return rfc8785.dumps(_statement(event, subject))


def _statement(event: ConsentEvent, subject: str) -> dict[str, str | int | dict[str, str] | None]:
    return {
        "schema": SCHEMA,
        "event": f"consentEvents/{event.id}",
        "subject": subject,
        "revision": event.revision,
        "purpose": event.purpose.value,
        "status": event.status.value,
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
