"""Credentials of a cell: passwords, keys and certificates, made anew for each run, and the Secrets that carry them."""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.declarations import MODEL_IDENTITIES, SERVICES, identities
from deploy.provision.bus import ACCOUNT, account
from deploy.provision.object_store import Identity
from deploy.provision.seaweedfs import identity_document
from services.chassis.clock import SystemClock
from services.chassis.tokens import Role, jwks_document, mint_token
from tests.cluster.harness.certificates import Authority, Certificate, addresses
from tests.cluster.harness.names import AUDIENCE, INFERENCE, ISSUER, NAMESPACE, RELEASE
from tests.cluster.harness.programs import Document, config_map, secret

_SUFFIXES = ("", "-headless", "-internal", "-public")


def _password() -> str:
    return secrets.token_urlsafe(24)


def _passwords() -> Mapping[str, str]:
    return {service: _password() for service in SERVICES}


def _identities() -> Mapping[str, Identity]:
    return {name: Identity(name, _password()) for name in (*SERVICES, *MODEL_IDENTITIES)}


def _private_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@dataclass(frozen=True)
class Credentials:
    """All that is secret in a cell.

    Attributes:
        mesh: Issues the services' certificates.
        platform: Issues the servers' certificates.
        issuer_key: Signs persons' tokens.
        subject_key: The key of every pseudonym.
    """

    mesh: Authority = field(default_factory=lambda: Authority("pellicule mesh"))
    platform: Authority = field(default_factory=lambda: Authority("pellicule platform"))
    issuer_key: bytes = field(default_factory=_private_key)
    subject_key: str = field(default_factory=lambda: secrets.token_hex(32))
    superuser: str = field(default_factory=_password)
    database: Mapping[str, str] = field(default_factory=_passwords)
    bus: Mapping[str, str] = field(default_factory=_passwords)
    administrator: Identity = field(default_factory=lambda: Identity("administrator", _password()))
    objects: Mapping[str, Identity] = field(default_factory=_identities)

    def token(self, subject: str, *, role: Role | None = None) -> str:
        """Return a token of a person."""
        life = timedelta(hours=12)
        return mint_token(
            self.issuer_key, issuer=ISSUER, audience=AUDIENCE, subject=subject, ttl=life, role=role, clock=SystemClock()
        )

    def service_certificate(self, service: str, *, life: timedelta = timedelta(days=30)) -> Certificate:
        """Issue the certificate of a service."""
        names = (f"{RELEASE}-{service}{suffix}" for suffix in _SUFFIXES)
        return self.mesh.issue(service, [host for name in names for host in addresses(name, NAMESPACE)], life=life)

    def platform_secrets(self, programs: Mapping[str, str]) -> Iterator[Document]:
        """Yield what the servers are given; PostgreSQL these programs besides."""
        servers = ("postgres", "nats", "nats-headless", "object-store")
        hosts = [host for server in servers for host in addresses(server, NAMESPACE)]
        yield self.platform.issue("platform", [*hosts, "localhost", "127.0.0.1"]).secret("platform-tls")
        yield secret("postgres", {"password": self.superuser, **programs})
        yield secret("nats", {"nats.json": json.dumps(self._nats(), indent=1)})
        document = identity_document(self.administrator, self.objects, identities())
        yield secret("object-store", {"identities.json": json.dumps(document), "signing-key": _password()})
        yield secret("pellicule-administrator", self._administrator())
        for server in ("database", "nats", "object-store"):
            yield secret(f"pellicule-{server}-ca", {"ca.crt": self.platform.certificate})

    def release_secrets(self) -> Iterator[Document]:
        """Yield what the charts expect to be there."""
        yield secret("pellicule-shared", {"subject.key": self.subject_key})
        yield secret("pellicule-epochs", {})
        yield config_map("pellicule-issuer", {"jwks.json": jwks_document(self.issuer_key)})
        yield secret("pellicule-issuer-key", {"token.pem": self.issuer_key})
        for service in SERVICES:
            yield secret(f"pellicule-{service}", self._of(service))
            yield self.service_certificate(service).secret(f"pellicule-{service}-tls")
        yield self.mesh.issue("triton", [*addresses(INFERENCE, NAMESPACE), "localhost"]).secret(f"{INFERENCE}-tls")
        for name in MODEL_IDENTITIES:
            yield secret(f"pellicule-{name}", self._keys(name))
        yield secret("pellicule-models", self._keys("triton"))

    def _of(self, service: str) -> Mapping[str, str | bytes]:
        own = self._keys(service)
        journal = {f"journal-{key}": own[f"s3-{key}"] for key in ("access-key", "secret-key")}
        urls = {"database-url": self._database_url(service), "nats-url": self._nats_url(service)}
        return {**urls, **own, **journal, **_own_keys(service)}

    def _keys(self, name: str) -> Mapping[str, str]:
        identity = self.objects[name]
        return {"s3-access-key": identity.access_key, "s3-secret-key": identity.secret_key}

    def _administrator(self) -> Mapping[str, str]:
        keys = {"s3-access-key": self.administrator.access_key, "s3-secret-key": self.administrator.secret_key}
        return {"database-url": self._url("postgres", self.superuser), **keys}

    def _database_url(self, service: str) -> str:
        return self._url(service, self.database[service])

    def _url(self, role: str, password: str) -> str:
        checked = "sslmode=verify-full&sslrootcert=/etc/pellicule/authorities/database.crt"
        return f"postgresql://{role}:{password}@postgres.{NAMESPACE}.svc:5432/{role}?{checked}"

    def _nats_url(self, service: str) -> str:
        return f"tls://{service}:{self.bus[service]}@nats.{NAMESPACE}.svc:4222"

    def _nats(self) -> Mapping[str, object]:
        return {
            "server_name": "nats-0",
            "listen": "0.0.0.0:4222",
            "http": "0.0.0.0:8222",
            "max_payload": 1 << 20,
            "tls": {"cert_file": "/tls/tls.crt", "key_file": "/tls/tls.key"},
            "jetstream": {"store_dir": "/data", "sync_interval": "always"},
            "accounts": {ACCOUNT: account(self.bus)},
        }


def _own_keys(service: str) -> Mapping[str, str | bytes]:
    """Return the keys that one service alone reads."""
    if service == "retention":
        return {"root.key": secrets.token_hex(32)}
    if service == "consent":
        return {"receipt.pem": _private_key(), "record.key": secrets.token_hex(32)}
    return {}
