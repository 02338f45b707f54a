"""TLS of the listeners and channels: one certificate per service, one authority of the deployment, both renewed."""

from collections.abc import Callable

import grpc

from services.chassis.certificates.files import Identity
from services.chassis.certificates.renewal import Renewed


def public_credentials(own: Renewed[Identity]) -> grpc.ServerCredentials:
    """For persons: the server shows its certificate and asks for none."""
    return _credentials(own, _to_anyone, asks_who_calls=False)


def internal_credentials(own: Renewed[Identity]) -> grpc.ServerCredentials:
    """For services: both sides show a certificate of the deployment's authority."""
    return _credentials(own, _to_services, asks_who_calls=True)


def client_credentials(own: Identity) -> grpc.ChannelCredentials:
    """For calls from this service to another."""
    return grpc.ssl_channel_credentials(own.authorities.pem, own.key, own.pem)


def _credentials(
    own: Renewed[Identity], build: Callable[[Identity], grpc.ServerCertificateConfiguration], *, asks_who_calls: bool
) -> grpc.ServerCredentials:
    given = own.current

    def changed() -> grpc.ServerCertificateConfiguration | None:
        """Return what is new, if it is; gRPC asks before each handshake, on a thread of its own."""
        nonlocal given
        if own.current is given:
            return None
        given = own.current
        return build(given)

    return grpc.dynamic_ssl_server_credentials(build(given), changed, asks_who_calls)  # type: ignore[arg-type]  # None is for "no change"


def _to_anyone(own: Identity) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(own.key, own.pem)])


def _to_services(own: Identity) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(own.key, own.pem)], own.authorities.pem)
