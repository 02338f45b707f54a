"""Ports that no other program can take between their choice and their use, on loopback unless said otherwise."""

import errno
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Self

LOOPBACK = "127.0.0.1"
_TIME_WAIT = "06"
_CONNECTIONS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LOOPBACKS_OF_WILDCARDS = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104  # nothing is bound here


class ReservedPort:
    """A port that is bound, though not listened on, for as long as this object is open.

    The first bind is exclusive: it fails while another program holds or serves the port, another stack's
    reservation included. Only then is the port opened to one listener that sets SO_REUSEADDR, as
    every server here does. So a part that is restarted finds its port again. A stack that is started again does so
    too: what the connections of its last run leave for a minute (TIME_WAIT) keeps no other's port.
    """

    def __init__(self, port: int = 0, host: str = LOOPBACK) -> None:
        """Reserve `port` of an address, or any free one for 0; raise OSError when it is taken."""
        self._host = host
        self._socket = socket.socket(family_of(host))
        try:
            self._bind(port)
        except OSError:
            self._socket.close()
            raise
        self._share()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def number(self) -> int:
        """The port's number."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def listener(self) -> str:
        """`host:port` to listen on."""
        return joined(self._host, self.number)

    @property
    def address(self) -> str:
        """`host:port` under which this machine reaches it."""
        return joined(_LOOPBACKS_OF_WILDCARDS.get(self._host, self._host), self.number)

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def _bind(self, port: int) -> None:
        try:
            self._socket.bind((self._host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or set(_connection_states(port)) != {_TIME_WAIT}:
                raise
            self._share()
            self._socket.bind((self._host, port))

    def _share(self) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def reserve_again(port: int, host: str = LOOPBACK) -> ReservedPort:
    """Reserve the port used last time if it is still free, else another."""
    try:
        return ReservedPort(port, host)
    except OSError:
        return ReservedPort(0, host)


def is_wildcard(host: str) -> bool:
    """Say whether it stands for all addresses of the machine."""
    return host in _LOOPBACKS_OF_WILDCARDS


def family_of(host: str) -> socket.AddressFamily:
    """Return the family of an IP address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def joined(host: str, port: int) -> str:
    """Return `host:port`, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parted(address: str) -> tuple[str, int]:
    """Return the host and the port of `host:port`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _connection_states(port: int) -> Iterator[str]:
    """Yield the state of each connection and listener of a local port, as the kernel numbers it."""
    for table in _CONNECTIONS:
        for line in table.read_text(encoding="ascii").splitlines()[1:] if table.exists() else ():
            _, local, _, state, *_ = line.split()
            if int(local.rpartition(":")[2], 16) == port:
                yield state
