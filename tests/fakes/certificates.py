"""A certificate authority for tests: as many services as a test wants, in a folder."""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class CertificateFiles:
    """The three files that a service's TLS settings name."""

    def __init__(self, ca: Path, certificate: Path, key: Path) -> None:
        self.ca = ca
        self.certificate = certificate
        self.key = key


class FakeAuthority:
    """Issues certificates as a deployment's authority does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        builder = _builder(self._name, self._name, self._key.public_key())
        self._certificate = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True).sign(
            self._key, hashes.SHA256()
        )
        self._ca_file = folder / "ca.pem"
        self._ca_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, service: str, uri: str | None = None) -> CertificateFiles:
        """Return the files of a service; `uri` takes the place of its SPIFFE id."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, service)])
        names = x509.SubjectAlternativeName(
            [
                x509.UniformResourceIdentifier(uri or f"spiffe://pellicule/{service}"),
                x509.DNSName("localhost"),
                x509.DNSName(service),
                x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
            ]
        )
        certificate = (
            _builder(name, self._name, key.public_key()).add_extension(names, False).sign(self._key, hashes.SHA256())
        )
        return self._write(service, certificate, key)

    def _write(self, service: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> CertificateFiles:
        files = CertificateFiles(self._ca_file, self._folder / f"{service}.pem", self._folder / f"{service}.key")
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
    )
