"""Passwords of the servers' users and the ports of a stack: chosen once, written down, used again."""

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Self

from deploy.local.files import replace_private, write_private
from deploy.local.home import StackHome
from deploy.local.parts.ports import ReservedPort, reserve_again


class Passwords:
    """Random passwords by name, kept in one private file."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = dict(known)

    @classmethod
    def ensure(cls, home: StackHome, names: Sequence[str]) -> Self:
        """Reads the file, adding a password for each name that has none."""
        file = home.secrets
        known: dict[str, str] = json.loads(file.read_bytes()) if file.exists() else {}
        missing = {name: secrets.token_urlsafe(24) for name in names if name not in known}
        if missing:
            write_private(file, json.dumps({**known, **missing}, indent=1).encode())
        return cls({**known, **missing})

    def of(self, name: str) -> str:
        """Returns the password of that name."""
        return self._known[name]


class PortBook:
    """The ports of a stack, reserved until it ends."""

    def __init__(self, reserved: Mapping[str, ReservedPort]) -> None:
        self._reserved = reserved

    @classmethod
    def reserve(cls, home: StackHome, names: Sequence[str]) -> Self:
        """Reserves a port for each name: the one used last where it is free, else another."""
        file = home.ports
        try:
            last: dict[str, int] = json.loads(file.read_bytes())
        except (FileNotFoundError, ValueError):
            last = {}
        reserved = {name: reserve_again(last.get(name, 0)) for name in names}
        numbers = {name: port.number for name, port in reserved.items()}
        replace_private(file, json.dumps({**last, **numbers}, indent=1).encode())
        return cls(reserved)

    def number(self, name: str) -> int:
        """Returns the port of that name."""
        return self._reserved[name].number

    def address(self, name: str) -> str:
        """Returns `host:port` of that name."""
        return self._reserved[name].address

    def close(self) -> None:
        """Gives all ports back."""
        for port in self._reserved.values():
            port.close()
