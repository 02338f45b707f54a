"""TLS to the inference server: pictures travel in clear on loopback alone."""

import ipaddress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import grpc


class Tls(Protocol):
    """How the server is known, and this client to it."""

    def credentials(self) -> grpc.ChannelCredentials:
        """Return what a connection is opened under: the same object until its certificates are renewed."""


@dataclass(frozen=True)
class TlsFiles:
    """Implements `Tls` on files in PEM that are read once.

    Attributes:
        authority: Certificates that the server's is checked against.
        certificate: What is shown to a server that asks for it, and its `key`.
    """

    authority: Path
    certificate: Path | None = None
    key: Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files (`Tls.credentials`)."""
        return self._read

    @cached_property
    def _read(self) -> grpc.ChannelCredentials:
        certificate = self.certificate.read_bytes() if self.certificate else None
        key = self.key.read_bytes() if self.key else None
        return grpc.ssl_channel_credentials(self.authority.read_bytes(), key, certificate)


class SentInClear(ValueError):
    """Pictures would leave this machine without TLS."""


def refuse_clear(address: str, tls: Tls | None) -> None:
    """Make sure that a server is spoken to under TLS, or is on this machine.

    Raises:
        SentInClear: neither.
    """
    if tls is None and not is_loopback(address):
        raise SentInClear(
            f"{address} is not on loopback, and pictures travel in clear there alone: give the certificates of the"
            " server's authority"
        )


def is_loopback(address: str) -> bool:
    """Say whether a `host:port` names loopback; no name is looked up, only `localhost` is known."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
