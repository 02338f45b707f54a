"""Trust in the servers beneath, by authorities in a file that is read at each connection: renewed by itself."""

import ssl
from pathlib import Path

from services.chassis.certificates.files import read_authorities
from services.chassis.errors import DependencyUnavailable

S3_CA_SETTING = "PELLICULE_S3_CA_FILE"
NATS_CA_SETTING = "PELLICULE_NATS_CA_FILE"
DATABASE_SETTING = "PELLICULE_DATABASE_URL"


class ServerNotTrusted(DependencyUnavailable):
    """A server shows a certificate that this process cannot trust."""

    @classmethod
    def by(cls, dependency: str, setting: str, why: str) -> "ServerNotTrusted":
        """Return the error with the setting that says whom to trust."""
        return cls(
            f"{dependency} shows a certificate that is not trusted ({why}): give {setting} the authority that issued"
            " it, or the server one that names its host",
            metadata={"dependency": dependency},
        )


def unavailable(dependency: str, setting: str, error: BaseException) -> DependencyUnavailable:
    """Return the error for a server that cannot be reached, or cannot be trusted."""
    why = _distrust(error)
    return ServerNotTrusted.by(dependency, setting, why) if why else DependencyUnavailable.of(dependency)


def trusting_context(ca_file: Path | None) -> ssl.SSLContext:
    """Return how TLS to a server is set up: its authority in a file, or one that the system trusts.

    Raises:
        CertificateRefused: the file cannot be used.
    """
    if ca_file is None:
        return ssl.create_default_context()
    return ssl.create_default_context(cadata=read_authorities(ca_file).pem.decode())


def checked(ca_file: Path | None) -> str | None:
    """Return the name of a file of authorities for a library that reads it at each connection, once it can be used.

    Raises:
        CertificateRefused: it cannot.
    """
    if ca_file is None:
        return None
    return str(read_authorities(ca_file).file)


def _distrust(error: object) -> str:
    """Return what is wrong with the certificate, if that is what an error is about; libraries wrap it in their own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if not isinstance(error, BaseException):
        return ""
    inner = (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
    return next((why for each in inner if each is not error and (why := _distrust(each))), "")
