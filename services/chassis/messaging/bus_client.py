"""Client of the event bus under TLS: renewed authorities are in use, and nothing is said to a server without it."""

import asyncio
import ssl
from pathlib import Path

import structlog
from nats.aio.client import Client, Srv
from nats.errors import Error as NatsError

from services.chassis.certificates.files import CertificateRefused
from services.chassis.certificates.trust import NATS_CA_SETTING, ServerNotTrusted, trusting_context, unavailable
from services.chassis.errors import DependencyUnavailable

_log = structlog.get_logger()


class SpeaksNoTls(NatsError):  # type: ignore[misc]  # the library has no types
    """The server, or who answers in its place, would be told the password in clear."""


class BusClient(Client):  # type: ignore[misc]  # the library has no types
    """The library's client.

    Attributes:
        distrust: Done once a server showed a certificate that is not trusted.
    """

    def __init__(self, ca_file: Path | None) -> None:
        """Take the authorities of a file, or the system's.

        Raises:
            CertificateRefused: the file cannot be used.
        """
        super().__init__()
        self._ca_file = ca_file
        self._context = trusting_context(ca_file)
        self.distrust: asyncio.Future[DependencyUnavailable] = asyncio.get_running_loop().create_future()

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """How the next connection is set up: read anew, as the authorities may have been renewed."""
        try:
            self._context = trusting_context(self._ca_file)
        except CertificateRefused as refused:
            _log.error("certificate_refused", certificate_file=str(refused.file), reason=refused.reason)
        return self._context

    async def note_error(self, error: Exception) -> None:
        """Tell what went wrong."""
        _log.warning("bus_error", exc_info=error)
        found = _distrust(error)
        if found is not None and not self.distrust.done():
            self.distrust.set_result(found)

    async def _connect_to_server(self, server: Srv) -> None:
        """Hang up before another try: the library forgets a connection whose beginning failed, and leaves it open."""
        if self._transport:
            self._transport.close()
        await super()._connect_to_server(server)

    def _connect_command(self) -> bytes:
        """Write the password down, for a server that asks for TLS: the library itself goes on without it."""
        if self._current_server.uri.scheme == "tls" and not self._server_info.get("tls_required"):
            raise SpeaksNoTls("nats: the URL says tls://, and the server speaks no TLS")
        return bytes(super()._connect_command())


def _distrust(error: Exception) -> DependencyUnavailable | None:
    if isinstance(error, SpeaksNoTls):
        return DependencyUnavailable(
            "event-bus speaks no TLS, and PELLICULE_NATS_URL says tls://: set up TLS there, or write nats://",
            metadata={"dependency": "event-bus"},
        )
    found = unavailable("event-bus", NATS_CA_SETTING, error)
    return found if isinstance(found, ServerNotTrusted) else None
