"""Renewal of a server's certificate: Triton reads it when it starts, and never again.

So a server goes on showing the old one while the new one lies beside it, until the old one ends and is believed no
more. Each server is due to start again at a time of its own, so that those that were renewed together do not stop
together.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from inference.client.clock import Clock

_SECONDS: Final = 5.0
_FIRST: Final = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Renewal:
    """Tells whether a server is due to start again.

    Args:
        shown: Asks the server for the certificate that it shows; raises OSError when it does not answer.
        given: Returns the one that it would read now.
        delay: Seconds for which the old one is let be.
        clock: The process's clock.
    """

    def __init__(
        self, shown: Callable[[], Awaitable[bytes]], given: Callable[[], bytes], delay: float, clock: Clock
    ) -> None:
        self._shown, self._given, self._delay, self._clock = shown, given, delay, clock
        self._old_since: float | None = None

    async def is_due(self) -> bool:
        """Return whether it has shown an old certificate for too long; a server that is not there shows none."""
        try:
            old = await self._shown() != self._given()
        except OSError:
            return False
        now = self._clock.monotonic()
        self._old_since = (now if self._old_since is None else self._old_since) if old else None
        return self._old_since is not None and now - self._old_since >= self._delay


async def shown_by(address: str) -> bytes:
    """Return the certificate that a server shows, in DER; it is looked at, not believed.

    Raises:
        OSError: the server does not answer.
    """
    return await asyncio.to_thread(_shown_by, address)


def given_in(path: Path) -> bytes:
    """Return the first certificate of a file, in DER.

    Raises:
        OSError: there is none.
    """
    found = _FIRST.search(path.read_text("ascii"))
    if found is None:
        raise FileNotFoundError(f"{path} holds no certificate")
    return ssl.PEM_cert_to_DER_cert(found[0])


def _shown_by(address: str) -> bytes:
    host, _, port = address.rpartition(":")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is compared, and nothing is said to who shows it
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS) as connection,
        context.wrap_socket(connection) as wrapped,
    ):
        return wrapped.getpeercert(binary_form=True) or b""
