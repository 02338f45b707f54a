"""Passwords of the servers' users: chosen once, written down, used again."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Self

from deploy.local.files import write_private
from deploy.local.home import StackHome


class Passwords:
    """Random passwords by name, kept in one private file."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)

    @classmethod
    def ensure(cls, home: StackHome, names: Sequence[str]) -> Self:
        """Read the file, adding a password for each name that has none."""
        file = home.secrets
        known: dict[str, str] = json.loads(file.read_bytes()) if file.exists() else {}
        missing = {name: secrets.token_urlsafe(24) for name in names if name not in known}
        if missing:
            write_private(file, json.dumps({**known, **missing}, indent=1).encode())
        return cls({**known, **missing})

    def of(self, name: str) -> str:
        """Return the password of that name."""
        return self._known[name]
