"""TLS to the inference server under this service's own certificate, whichever is the newest."""

from pathlib import Path

import grpc

from services.chassis.certificates.files import Authorities, Identity
from services.chassis.certificates.renewal import Certificates, Renewed


class RenewedTls:
    """Implements `inference.client.tls.Tls`."""

    def __init__(self, own: Renewed[Identity], authorities: Renewed[Authorities]) -> None:
        """Take the newest from now on.

        Args:
            own: What is shown to a server that asks for it.
            authorities: Those that the server's certificate is checked against.
        """
        self._own = own
        self._authorities = authorities
        self._credentials = self._build()

    @classmethod
    def of(cls, ca_file: Path | None, certificates: Certificates) -> "RenewedTls | None":
        """Return what a setting names, if it does."""
        return cls(certificates.own, certificates.authorities(ca_file)) if ca_file else None

    def credentials(self) -> grpc.ChannelCredentials:
        """Return the same object until something is renewed (`Tls.credentials`)."""
        if (self._own.current, self._authorities.current) != self._under:
            self._credentials = self._build()
        return self._credentials

    def _build(self) -> grpc.ChannelCredentials:
        self._under = own, authorities = self._own.current, self._authorities.current
        return grpc.ssl_channel_credentials(authorities.pem, own.key, own.pem)
