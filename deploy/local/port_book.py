"""Ports of a stack: chosen by its operator or by the system, written down, used again."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from types import MappingProxyType
from typing import Self

import psutil

from deploy.declarations import SERVICES
from deploy.local.errors import StackError
from deploy.local.files import replace_private
from deploy.local.home import StackHome
from deploy.local.listening import outside_addresses
from deploy.local.parts.ports import LOOPBACK, ReservedPort, is_wildcard, joined, parted, reserve_again
from deploy.local.parts.seaweedfs import SeaweedPorts

SEAWEED_PORTS = tuple(f"seaweedfs-{name.replace('_', '-')}" for name in SeaweedPorts.__dataclass_fields__)
PORT_NAMES: Sequence[str] = (
    "postgres",
    "nats",
    "minio",
    "triton",
    "triton-metrics",
    *SEAWEED_PORTS,
    *(f"{name}-{side}" for name in SERVICES for side in ("public", "internal")),
)
"""Each port of a stack: its part, and what of it where it has several."""

_ANOTHER = "another program"
_NONE: Mapping[str, int] = MappingProxyType({})


class PortBook:
    """The ports of a stack, reserved until it ends."""

    def __init__(self, reserved: Mapping[str, ReservedPort], last: Mapping[str, int]) -> None:
        self._reserved = reserved
        self._last = last

    @classmethod
    def reserve(cls, home: StackHome, *, chosen: Mapping[str, int] = _NONE, public_host: str = LOOPBACK) -> Self:
        """Reserve every port: as chosen; else the one used last where it is free; else another.

        Args:
            home: The stack's folder, where the ports are written down.
            chosen: Ports that the operator wants.
            public_host: The address that the services' public listeners are bound to.

        Raises:
            StackError: PORT_TAKEN, a chosen one cannot be had.
        """
        last = _read(home)
        with ExitStack() as ports:
            # The chosen ones first: the system might hand them out for another.
            order = sorted(PORT_NAMES, key=lambda name: name not in chosen)
            hosts = {name: public_host if name.endswith("-public") else LOOPBACK for name in order}
            reserved = {
                name: ports.enter_context(
                    _reserve(name, chosen[name], hosts[name])
                    if name in chosen
                    else reserve_again(last.get(name, 0), hosts[name])
                )
                for name in order
            }
            numbers = {name: port.number for name, port in reserved.items()}
            replace_private(home.ports, json.dumps({**last, **numbers}, indent=1).encode())
            ports.pop_all()
        return cls(reserved, {name: port for name, port in last.items() if name not in chosen})

    def number(self, name: str) -> int:
        """Return the port of that name."""
        return self._reserved[name].number

    def address(self, name: str) -> str:
        """Return `host:port` under which this machine reaches it."""
        return self._reserved[name].address

    def listener(self, name: str) -> str:
        """Return `host:port` to listen on."""
        return self._reserved[name].listener

    def outside(self, name: str) -> Sequence[str]:
        """Return each `host:port` under which other machines reach it besides, when it listens on all addresses."""
        host, port = parted(self.listener(name))
        found = [each for each in outside_addresses() if host == "::" or ":" not in each]
        return [joined(each, port) for each in found] if is_wildcard(host) else []

    def moves(self, part: str) -> Sequence[str]:
        """Say which ports of a part are others than in its last run, because another program has them now."""
        names = [name for name in self._reserved if name.partition("-")[0] == part]
        moved = [name for name in names if self._last.get(name, self.number(name)) != self.number(name)]
        return [
            f"port {self._last[name]} of the last run is taken by {holder(self._last[name])}:"
            f" {name} is at {self.number(name)} now; free it and start again to have it back"
            for name in moved
        ]

    def close(self) -> None:
        """Give all ports back."""
        for port in self._reserved.values():
            port.close()


def port_setting(name: str) -> str:
    """Return the name of the setting, without its prefix, that chooses a port."""
    return f"PORT_{name.replace('-', '_').upper()}"


def holder(port: int) -> str:
    """Return the name of the program that listens on a port, as far as this account may know it."""
    try:
        listeners = (
            each for each in psutil.net_connections("tcp") if each.laddr and each.laddr.port == port and each.pid
        )
        return next((f"{psutil.Process(each.pid).name()} (pid {each.pid})" for each in listeners), _ANOTHER)
    except (psutil.Error, OSError):
        return _ANOTHER


def _read(home: StackHome) -> Mapping[str, int]:
    try:
        last: dict[str, int] = json.loads(home.ports.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return last


def _reserve(name: str, port: int, host: str) -> ReservedPort:
    try:
        return ReservedPort(port, host)
    except PermissionError as error:
        why = "cannot be had by this account: choose one above 1023, or allow lower ones"
        raise _not_to_be_had(name, port, f"{why} (sysctl net.ipv4.ip_unprivileged_port_start)") from error
    except OSError as error:
        why = f"is taken by {holder(port)}: end that program, or choose another port"
        raise _not_to_be_had(name, port, why) from error


def _not_to_be_had(name: str, port: int, why: str) -> StackError:
    return StackError("PORT_TAKEN", f"port {port}, chosen for {name}, {why}", field=f"PELLICULE_{port_setting(name)}")
