"""Seals and tags: what sealed bytes of this service alone are bound to, and how a hash is found again.

What other services open as well is bound by the keyring's `artefact_aad` and `metadata_aad`.
"""

import hashlib
import hmac
from uuid import UUID

ORIGINAL = "original"
"""Kind of the tag under which a media is found: a digest of its original's SHA-256."""


def announcement_aad(data_key_id: UUID) -> bytes:
    """Return what a sealed announcement is bound to."""
    return f"{data_key_id}|announcement".encode()


def tail_aad(data_key_id: UUID, position: int) -> bytes:
    """Return what the sealed tail of an upload is bound to: the bytes from `position` on that fill no chunk yet."""
    return f"{data_key_id}|tail|{position}".encode()


def lookup_key_aad(data_key_id: UUID) -> bytes:
    """Return what a sealed lookup key is bound to."""
    return f"{data_key_id}|lookup".encode()


def device_aad(data_key_id: UUID) -> bytes:
    """Return what a sealed description of a device is bound to."""
    return f"{data_key_id}|device".encode()


def lookup_tag(lookup_key: bytes, kind: str, content: bytes) -> bytes:
    """Return the keyed digest under which something can be found again without standing in clear anywhere.

    HMAC-SHA256 under a key of the person's own: who has the file and not the key cannot tell whether it is kept.

    Args:
        lookup_key: 32 bytes, the person's own.
        kind: What is digested, such as `ORIGINAL`.
        content: What must not stand in clear.
    """
    return hmac.digest(lookup_key, kind.encode() + b"\0" + content, hashlib.sha256)
