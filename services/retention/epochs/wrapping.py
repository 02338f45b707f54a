"""Wrapping of keys in AES-256-GCM: a random 12-byte nonce, the encrypted key and a 16-byte tag.

A key wraps far fewer than 2**32 others, so random nonces are safe (NIST SP 800-38D, section 8.3).
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.retention.errors import WrapBroken

_NONCE_SIZE = 12
_FINGERPRINT = b"pellicule fingerprint of an epoch"


def fingerprint(secret: bytes) -> bytes:
    """Return what tells a key from another one; the key cannot be told from it (HMAC-SHA256)."""
    return hmac.digest(secret, _FINGERPRINT, hashlib.sha256)


class Wrapper:
    """A key that wraps others."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def wrap(self, secret: bytes, aad: bytes) -> bytes:
        """Return `secret` sealed and bound to `aad`."""
        nonce = os.urandom(_NONCE_SIZE)
        return nonce + self._cipher.encrypt(nonce, secret, aad)

    def unwrap(self, sealed: bytes, aad: bytes) -> bytes:
        """Return the key in clear.

        Raises:
            WrapBroken: wrong key or `aad`, or altered bytes.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], aad)
        except (InvalidTag, ValueError) as error:
            raise WrapBroken from error
