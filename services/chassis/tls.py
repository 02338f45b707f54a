"""TLS of the listeners and channels: one certificate per service, one local authority."""

from pathlib import Path

import grpc

from services.chassis.settings import TlsSettings


def public_credentials(settings: TlsSettings) -> grpc.ServerCredentials:
    """For persons: the server shows its certificate and asks for none."""
    return grpc.ssl_server_credentials([_pair(settings)])


def internal_credentials(settings: TlsSettings) -> grpc.ServerCredentials:
    """For services: both sides show a certificate of the deployment's authority."""
    return grpc.ssl_server_credentials(
        [_pair(settings)],
        root_certificates=_read(settings.tls_ca_file),
        require_client_auth=True,
    )


def client_credentials(settings: TlsSettings) -> grpc.ChannelCredentials:
    """For calls from this service to another."""
    key, certificate = _pair(settings)
    return grpc.ssl_channel_credentials(_read(settings.tls_ca_file), key, certificate)


def _pair(settings: TlsSettings) -> tuple[bytes, bytes]:
    return _read(settings.tls_key_file), _read(settings.tls_cert_file)


def _read(file: Path) -> bytes:
    return file.read_bytes()
