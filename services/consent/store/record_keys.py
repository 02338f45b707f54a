"""Keys of persons' records: one each, wrapped under the service's own key, destroyed with the person's rows.

Where a person is and how old they are is written down for refusals as well, when no purpose has a key; so these
few fields have keys of their own (docs/adr/0010-consent-records-have-their-own-keys.md).
"""

import os
from pathlib import Path
from typing import Self

from services.chassis.seal import open_bytes, seal_bytes
from services.consent.errors import RecordKeyInvalid

_KEY_SIZE = 32


class RecordKey:
    """Seals what is personal in one person's records."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, plaintext: bytes, *, record: str) -> bytes:
        """Seals a part of a record, which is named so that it opens nowhere else."""
        return seal_bytes(self._key, plaintext, _aad(record))

    def open(self, sealed: bytes, *, record: str) -> bytes:
        """Open a part of a record.

        Raises:
            SealBroken: it is of another record or person, or was altered.
        """
        return open_bytes(self._key, sealed, _aad(record))


class RecordKeys:
    """Makes and unwraps persons' record keys."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return those wrapped under the key in a file: 32 random bytes in hex.

        Raises:
            RecordKeyInvalid: there is no such key in the file.
        """
        try:
            key = bytes.fromhex(path.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise RecordKeyInvalid.of(path, "holds no key in hex") from error
        if len(key) != _KEY_SIZE:
            raise RecordKeyInvalid.of(path, f"holds {len(key)} bytes")
        return cls(key)

    def make(self, subject: str) -> bytes:
        """Return a new key for a person, wrapped."""
        return seal_bytes(self._key, os.urandom(_KEY_SIZE), _aad(subject))

    def unwrap(self, wrapped: bytes, *, subject: str) -> RecordKey:
        """Return a person's key.

        Raises:
            SealBroken: it was wrapped for another person or under another key, or was altered.
        """
        return RecordKey(open_bytes(self._key, wrapped, _aad(subject)))


def _aad(artefact: str) -> bytes:
    return f"{artefact}|CONSENT_RECORD".encode()
