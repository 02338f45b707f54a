"""Loopback ports that nobody else can take between their choice and their use."""

import contextlib
import socket

LOOPBACK = "127.0.0.1"


class ReservedPort:
    """A port that is bound, though not listened on, for as long as this object is open.

    The first bind is exclusive: it fails while anybody else holds or serves the port, another stack's
    reservation included. Only then is the port opened to one listener that sets SO_REUSEADDR, as
    every server here does. So a part that is restarted finds its port again.
    """

    def __init__(self, port: int = 0) -> None:
        """Reserves `port`, or any free one for 0; raises OSError when it is taken."""
        self._socket = socket.socket()
        try:
            self._socket.bind((LOOPBACK, port))
        except OSError:
            self._socket.close()
            raise
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    @property
    def number(self) -> int:
        """The port's number."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{LOOPBACK}:{self.number}"

    def close(self) -> None:
        """Gives the port back."""
        self._socket.close()


def reserve_again(port: int) -> ReservedPort:
    """Reserves the port used last time if it is still free, else another."""
    with contextlib.suppress(OSError):
        return ReservedPort(port)
    return ReservedPort()
