"""Local certificate authority and the keys of a stack: made once, kept, readable by their owner alone."""

import ipaddress
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.declarations import SERVICES
from deploy.local.files import replace_private, write_private
from deploy.local.home import StackHome
from services.chassis.clock import Clock
from services.chassis.tokens import jwks_document

TOKEN_KEY = "token.pem"  # noqa: S105  # names of files
JWKS = "jwks.json"
SUBJECT_KEY = "subject.key"
ROOT_KEY = "root.key"
RECEIPT_KEY = "receipt.pem"
RECORD_KEY = "record.key"

_AUTHORITY_LIFE = timedelta(days=3650)
_CERTIFICATE_LIFE = timedelta(days=397)
_RENEW_BEFORE = timedelta(days=30)
_CLOCK_LEEWAY = timedelta(minutes=5)


def ensure_credentials(home: StackHome, clock: Clock, names: Sequence[str] = ()) -> None:
    """Make what is missing: the authority, a certificate per service, the keys.

    A certificate that ends within 30 days or has other names is renewed; a key never is, for what it signed or named
    stays.

    Args:
        home: The stack's folder.
        clock: What time it is.
        names: Host names and IP addresses that the certificates name besides loopback's.
    """
    _ensure_keys(home)
    if not _private_key_file(home).exists():
        _make_authority(home, clock.now())
    for service in SERVICES:
        wanted = _names(service, names)
        if not _is_good(home, service, wanted, clock.now()):
            _issue(home, service, wanted, clock.now())


def _ensure_keys(home: StackHome) -> None:
    for name in (SUBJECT_KEY, ROOT_KEY, RECORD_KEY):
        if not home.key(name).exists():
            write_private(home.key(name), secrets.token_hex(32).encode())
    for name in (TOKEN_KEY, RECEIPT_KEY):
        if not home.key(name).exists():
            write_private(home.key(name), _pem(Ed25519PrivateKey.generate()))
    replace_private(home.key(JWKS), jwks_document(home.key(TOKEN_KEY).read_bytes()).encode())
    signing = load_pem_private_key(home.key(RECEIPT_KEY).read_bytes(), password=None)
    public = signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    replace_private(home.receipt_key, public)


def _pem(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _private_key_file(home: StackHome) -> Path:
    return home.authority.with_name("authority-key.pem")


def _make_authority(home: StackHome, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pellicule local authority")])
    public = key.public_key()
    certificate = (
        _builder(name, name, public, now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(home.authority, certificate.public_bytes(Encoding.PEM))
    write_private(_private_key_file(home), _pem(key))


def _is_good(home: StackHome, service: str, names: x509.SubjectAlternativeName, now: datetime) -> bool:
    file, key = home.certificate(service)
    if not (file.exists() and key.exists()):
        return False
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):  # cut short by a power failure
        return False
    return named == names and certificate.not_valid_after_utc - now >= _RENEW_BEFORE


def _issue(home: StackHome, service: str, names: x509.SubjectAlternativeName, now: datetime) -> None:
    authority = x509.load_pem_x509_certificate(home.authority.read_bytes())
    authority_key = load_pem_private_key(_private_key_file(home).read_bytes(), password=None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{_private_key_file(home)}: expected an elliptic-curve key")
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, service)])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    certificate = (
        _builder(name, authority.subject, public, now, _CERTIFICATE_LIFE)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(usage, critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    certificate_file, key_file = home.certificate(service)
    replace_private(key_file, _pem(key))
    replace_private(certificate_file, certificate.public_bytes(Encoding.PEM))


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=public_key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _CLOCK_LEEWAY,
        not_valid_after=now + life,
    )


def _names(service: str, further: Sequence[str]) -> x509.SubjectAlternativeName:
    identity = x509.UniformResourceIdentifier(f"spiffe://pellicule/{service}")
    names = dict.fromkeys(("localhost", service, "127.0.0.1", "::1", *further))
    return x509.SubjectAlternativeName([identity, *map(_name, names)])


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
