"""Certificates of a cell, where no cert-manager makes them: names as its Certificates have them."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.cluster.harness.programs import Document, secret

_LEEWAY = timedelta(minutes=5)


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key and its authority, in PEM."""

    authority: bytes
    certificate: bytes
    key: bytes

    def secret(self, name: str) -> Document:
        """Return the Secret that cert-manager would make of it."""
        return secret(name, {"ca.crt": self.authority, "tls.crt": self.certificate, "tls.key": self.key})


class Authority:
    """Issues the certificates of one cell."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        made = _builder(self._name, self._name, self._key.public_key(), timedelta(days=60)).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.certificate = made.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def issuer(self, name: str) -> Iterator[Document]:
        """Yield an issuer of cert-manager's that signs as this authority, and its Secret."""
        private = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        yield secret(f"{name}-ca", {"tls.crt": self.certificate, "tls.key": private})
        yield {
            "apiVersion": "cert-manager.io/v1",
            "kind": "Issuer",
            "metadata": {"name": name},
            "spec": {"ca": {"secretName": f"{name}-ca"}},
        }

    def issue(self, name: str, hosts: Iterable[str], *, life: timedelta = timedelta(days=30)) -> Certificate:
        """Return a new certificate of a service, with its identity, its own name and those of its addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        identity = x509.UniformResourceIdentifier(f"spiffe://pellicule/{name}")
        names = x509.SubjectAlternativeName([identity, *map(_host, dict.fromkeys((name, *hosts)))])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        made = _builder(_name(name), self._name, key.public_key(), life)
        signed = made.add_extension(names, False).add_extension(usage, False).sign(self._key, hashes.SHA256())
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Certificate(self.certificate, signed.public_bytes(Encoding.PEM), private)


def addresses(service: str, namespace: str) -> Iterable[str]:
    """Yield the names by which a Service is called inside a cluster."""
    yield service
    for suffix in (namespace, f"{namespace}.svc", f"{namespace}.svc.cluster.local"):
        yield f"{service}.{suffix}"


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _LEEWAY,
        not_valid_after=now + life,
    )
