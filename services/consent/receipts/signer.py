"""Signer of receipts: RFC 8785 canonical JSON, signed with Ed25519 (RFC 8032).

A receipt is a pure function of the event and the key: asked for again it is the same, bit for bit. Checking one
needs nothing but its bytes, its signature and a public key that one trusts.
"""

import hashlib
from pathlib import Path
from typing import Self

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.consent.domain.consent import ConsentEvent
from services.consent.domain.receipt import Receipt, statement
from services.consent.errors import ReceiptKeyInvalid

_KEY_ID_DIGITS = 16


class Ed25519Signer:
    """Implements `ports.ReceiptSigner`."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the signer with the Ed25519 private key in a PEM file (PKCS #8, not encrypted).

        Raises:
            ReceiptKeyInvalid: there is no such key in the file.
        """
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise ReceiptKeyInvalid.of(path, "holds no private key in clear PEM") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise ReceiptKeyInvalid.of(path, "holds a key of another kind")
        return cls(key)

    def sign(self, event: ConsentEvent, *, subject: str) -> Receipt:
        """Return the receipt of an event of a person (pseudonym)."""
        content = rfc8785.dumps(statement(event, subject=subject))
        return Receipt(content, self._key.sign(content), key_id(self.public_key), self.public_key)


def key_id(public_key: bytes) -> str:
    """Return the short name of a public key of 32 bytes."""
    return hashlib.sha256(public_key).hexdigest()[:_KEY_ID_DIGITS]


def verify(canonical: bytes, signature: bytes, public_key: bytes) -> bool:
    """Tells whether a receipt was signed with the key that belongs to `public_key`, and not altered since."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, canonical)
    except (InvalidSignature, ValueError):
        return False
    return True
