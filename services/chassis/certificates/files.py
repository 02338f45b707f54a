"""Files of certificates: read as a whole, and refused by name when they are cut short, wrong, or do not fit."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from services.chassis.settings import TlsSettings


class CertificateRefused(Exception):
    """A file cannot be used; the message names it, what is wrong and what to do."""

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file}: {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True)
class Authorities:
    """Whom a process trusts.

    Attributes:
        file: Where they were read.
        pem: Their certificates; several while one takes the place of another.
        begin_time: None of them is good before.
        expire_time: None of them is good any more from then on.
    """

    file: Path
    pem: bytes
    begin_time: datetime
    expire_time: datetime


@dataclass(frozen=True)
class Identity:
    """What a process shows of itself, and whom it trusts.

    Attributes:
        file: Where the certificate was read.
        pem: The certificate, and those between it and its authority.
        key: Its private key.
        uris: What it names its bearer by, such as `spiffe://pellicule/ingest`.
        begin_time: It is not good before.
        expire_time: It is not good any more from then on.
        authorities: Those that the other side must have its certificate of.
    """

    file: Path
    pem: bytes
    key: bytes = field(repr=False)
    uris: Sequence[str]
    begin_time: datetime
    expire_time: datetime
    authorities: Authorities


def read_authorities(file: Path) -> Authorities:
    """Read the certificates of authorities.

    Raises:
        CertificateRefused: there is none, or one is cut short.
    """
    return _authorities(file, _read(file))


def read_identity(settings: TlsSettings) -> Identity:
    """Read a certificate with its key and the authorities around it, which all fit each other.

    Raises:
        CertificateRefused: one is missing or cut short, or they belong to different certificates or authorities.
    """
    pem, key = _read(settings.tls_cert_file), _read(settings.tls_key_file)
    bundle = _read(settings.tls_ca_file)
    chain = _certificates(settings.tls_cert_file, pem)
    _check_key(settings, chain[0], key)
    _check_issuer(settings, chain, _certificates(settings.tls_ca_file, bundle))
    return Identity(
        file=settings.tls_cert_file,
        pem=pem,
        key=key,
        uris=_uris(chain[0]),
        begin_time=chain[0].not_valid_before_utc,
        expire_time=chain[0].not_valid_after_utc,
        authorities=_authorities(settings.tls_ca_file, bundle),
    )


def check_authorities(now: datetime, present: Authorities, found: Authorities) -> None:
    """Make sure that authorities may take the place of the present ones.

    Raises:
        CertificateRefused: none of them is good now.
    """
    _check_time(now, found)


def check_identity(now: datetime, present: Identity, found: Identity) -> None:
    """Make sure that a certificate may take the place of the present one.

    Raises:
        CertificateRefused: it is not good now, or is that of another service.
    """
    _check_time(now, found)
    _check_time(now, found.authorities)
    if found.uris != present.uris:
        raise CertificateRefused(
            found.file, f"names {_listed(found.uris)}, and this is {_listed(present.uris)}: give it its own certificate"
        )


def _check_time(now: datetime, found: Authorities | Identity) -> None:
    if now < found.begin_time:
        raise CertificateRefused(found.file, f"is not good before {found.begin_time:%Y-%m-%dT%H:%M:%SZ}")
    if now >= found.expire_time:
        raise CertificateRefused(found.file, f"has ended at {found.expire_time:%Y-%m-%dT%H:%M:%SZ}: renew it")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise CertificateRefused(file, f"cannot be read ({error.strerror}): put it there for this account") from None


def _authorities(file: Path, pem: bytes) -> Authorities:
    found = _certificates(file, pem)
    return Authorities(
        file,
        pem,
        begin_time=min(each.not_valid_before_utc for each in found),
        expire_time=max(each.not_valid_after_utc for each in found),
    )


def _certificates(file: Path, pem: bytes) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError:
        found = []
    if not found or len(found) != pem.count(b"BEGIN CERTIFICATE"):
        raise CertificateRefused(file, "holds no whole certificate in PEM: write it anew, in one step")
    return found


def _check_key(settings: TlsSettings, certificate: x509.Certificate, pem: bytes) -> None:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise CertificateRefused(
            settings.tls_key_file, "holds no whole private key in PEM without a password: write it anew, in one step"
        ) from None
    shown = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*shown) != certificate.public_key().public_bytes(*shown):
        raise CertificateRefused(
            settings.tls_key_file, f"is not the key of {settings.tls_cert_file}: change both in one step"
        )


def _check_issuer(
    settings: TlsSettings, chain: Sequence[x509.Certificate], authorities: Sequence[x509.Certificate]
) -> None:
    """Walk from the certificate up; a chain may end at any authority, and hold more than it needs."""
    issued, between = chain[0], list(chain[1:])
    while not any(_issued(issued, authority) for authority in authorities):
        above = next((each for each in between if _issued(issued, each)), None)
        if above is None:
            raise CertificateRefused(
                settings.tls_cert_file,
                f"is of no authority in {settings.tls_ca_file}: while one takes the place of another, have both there",
            )
        between.remove(above)
        issued = above


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _uris(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(sorted(names.get_values_for_type(x509.UniformResourceIdentifier)))


def _listed(uris: Sequence[str]) -> str:
    return ", ".join(uris) or "nobody"
