"""A certificate authority for tests: as many services as a test wants, in a folder."""

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.chassis.certificates.renewal import Certificates
from services.chassis.clock import SystemClock
from services.chassis.settings import TlsSettings

_BEGAN, _ENDS = timedelta(minutes=-1), timedelta(days=1)


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
        # Two authorities of one name are told apart by their keys.
        known_by = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        self._certificate = builder.add_extension(known_by, False).sign(self._key, hashes.SHA256())
        self._ca_file = folder / "ca.pem"
        self._ca_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    @property
    def pem(self) -> bytes:
        """The authority's own certificate."""
        return self._ca_file.read_bytes()

    def issue(
        self, service: str, uri: str | None = None, *, begins: timedelta = _BEGAN, ends: timedelta = _ENDS
    ) -> CertificateFiles:
        """Return the files of a service; `uri` takes the place of its SPIFFE id, times are from now."""
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
        builder = _builder(name, self._name, key.public_key(), begins, ends)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = builder.add_extension(names, False).add_extension(issuer, False).sign(self._key, hashes.SHA256())
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


class MountedCertificates:
    """Files of a service as a cluster mounts them: a link to the folder that holds them all is swapped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._count = 0
        for name in ("ca.crt", "tls.crt", "tls.key"):
            (folder / name).symlink_to(Path("..data", name))

    @property
    def settings(self) -> TlsSettings:
        folder = self._folder
        return TlsSettings(
            tls_ca_file=folder / "ca.crt", tls_cert_file=folder / "tls.crt", tls_key_file=folder / "tls.key"
        )

    def swap(self, files: CertificateFiles, *authorities: FakeAuthority) -> None:
        """Have a certificate there, with the authorities that its bearer trusts."""
        bundle = b"".join(authority.pem for authority in authorities) or files.ca.read_bytes()
        self.write({"ca.crt": bundle, "tls.crt": files.certificate.read_bytes(), "tls.key": files.key.read_bytes()})

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Have these files there, and those of before that have no new content."""
        present = self._folder / "..data"
        before = {file.name: file.read_bytes() for file in present.iterdir()} if present.exists() else {}
        self._count += 1
        folder = self._folder / f"..{self._count}"
        folder.mkdir()
        for name, content in {**before, **contents}.items():
            (folder / name).write_bytes(content)
        link = self._folder / "..data_tmp"
        link.symlink_to(folder.name)
        link.replace(present)


def certificates_of(settings: TlsSettings) -> Certificates:
    """Return the certificates of settings, as they are now: nothing looks whether they are renewed."""
    return Certificates(settings, SystemClock())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    begins: timedelta = _BEGAN,
    ends: timedelta = _ENDS,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )
