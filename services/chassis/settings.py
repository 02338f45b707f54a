"""Settings of a service: frozen, read once from the environment (prefix `PELLICULE_`) in `__main__`.

A service composes what it needs: `class Settings(ServiceSettings, DatabaseSettings, BusSettings): ...`.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.chassis.limits.shares import ShareLimits
from services.chassis.roles import ALL_ROLES, SERVING, Role, read_roles

Address = Annotated[str, StringConstraints(pattern=r"^.+:\d{1,5}$")]
"""`host:port`; port 0 asks the system for a free one."""

JWKS_URL = r"^(https://.+|http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/.*)?)$"
"""Keys that travel in clear could be changed on their way."""

OTLP_ENDPOINT = r"^(https?://|grpcs?://)?[^/]+:\d{1,5}$"
"""`https` and `grpcs` are under TLS."""

_NO_SUBJECT_KEY = "set PELLICULE_SUBJECT_KEY_FILE: callers are known by pseudonyms made with it"

_CONFIG = SettingsConfigDict(env_prefix="PELLICULE_", frozen=True, extra="ignore")


class TlsSettings(BaseSettings):
    """This process's certificate (SAN URI `spiffe://pellicule/<service>`) and whom it trusts."""

    model_config = _CONFIG

    tls_ca_file: Path
    tls_cert_file: Path
    tls_key_file: Path


class TokenSettings(BaseSettings):
    """How persons' tokens are checked and turned into pseudonyms."""

    model_config = _CONFIG

    token_jwks_file: Path | None = None
    """JWKS of the issuer; this or `token_jwks_url`."""
    token_jwks_url: Annotated[str, StringConstraints(pattern=JWKS_URL)] | None = None
    """Where an OpenID Connect provider publishes its JWKS: `https://`, or `http://` on loopback."""
    token_jwks_ca_file: Path | None = None
    """Certificates that the URL's server is checked against; absent means the system's."""
    token_issuer: str = "pellicule-local"  # noqa: S105  # a name, not a secret
    token_audience: str = "pellicule"  # noqa: S105  # a name, not a secret
    subject_key_file: Path | None = None
    """32 random bytes in hex: the key of every pseudonym; with it they can be linked to persons."""

    @property
    def own_subject_key_file(self) -> Path:
        """The file of the pseudonyms' key, in a process that answers calls.

        Raises:
            ValueError: the process was given none.
        """
        if self.subject_key_file is None:
            raise ValueError(_NO_SUBJECT_KEY)
        return self.subject_key_file


class ServiceSettings(TlsSettings, TokenSettings):
    """What every server needs."""

    offered_roles: ClassVar[frozenset[Role]] = ALL_ROLES - {Role.WORKER}
    """What the service has for a process to do."""

    roles: Annotated[frozenset[Role], NoDecode] = ALL_ROLES
    """What this process does, separated by commas; absent means all that the service does."""
    public_address: Address | None = None
    """Where persons call; needed by the role `public`."""
    public_tls: bool = True
    """Whether the public listener speaks TLS; without it all who see the network read tokens and photos."""
    internal_address: Address | None = None
    """Where services call; needed by the role `internal`."""
    health_address: Address | None = None
    """Where health alone is asked for, in clear, by whom has no certificate; absent means nowhere."""
    otlp_endpoint: Annotated[str, StringConstraints(pattern=OTLP_ENDPOINT)] | None = None
    """Where traces and measurements go: `host:port`, `https://host:port` under TLS; absent means that none are made."""
    otlp_ca_file: Path | None = None
    """Certificates that the collector is checked against under TLS; absent means those of public authorities."""
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of calls that start a trace, 0..1; the interceptor costs a third of the call rate."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    watched_disk: Path | None = None
    """A folder whose file system's free space is measured; absent means that none is."""
    watched_disk_floor_bytes: Annotated[int, Field(ge=0)] = 0
    """Free space there below which the stores take nothing more, and calls say that the disk is full."""
    drain_seconds: Annotated[float, Field(ge=0)] = 0.0
    """Time between NOT_SERVING and the refusal of new calls; a cluster's load balancer wants some."""
    stop_grace_seconds: Annotated[float, Field(gt=0)] = 5.0
    """Time that calls in flight get when the process is told to stop."""
    caller_calls_per_second: Annotated[float, Field(gt=0)] = 50.0
    """What one caller may ask in the long run, streams that it opens included; a second's worth may come at once."""
    caller_messages_per_second: Annotated[float, Field(gt=0)] = 400.0
    """Small messages that one caller may send in streams, in the long run."""
    caller_bytes_per_second: Annotated[float, Field(gt=0)] = 8.0 * 1024**2
    """What one caller's streams may bring, in the long run, while other persons call as well."""
    caller_calls_at_once: Annotated[int, Field(ge=1)] = 64
    """Calls of one caller that run or wait, without streams."""
    caller_streams_at_once: Annotated[int, Field(ge=1)] = 16
    """Streams that one caller may have open."""
    connection_calls_at_once: Annotated[int, Field(ge=1)] = 256
    """Calls and streams of one connection, of all its callers."""
    calls_at_once: Annotated[int, Field(ge=1)] = 2000
    """Calls and streams of all callers; beyond it those who have most are refused."""

    @field_validator("roles", mode="before")
    @classmethod
    def known_roles(cls, given: str | frozenset[str]) -> frozenset[Role]:
        """Refuse a role that the service does not have; all of its roles are those that it has."""
        return cls.offered_roles if given is ALL_ROLES else read_roles(given, cls.offered_roles)

    @model_validator(mode="after")
    def an_address_for_each_listener(self) -> Self:
        """Refuse a listener without an address."""
        for role, address in ((Role.PUBLIC, self.public_address), (Role.INTERNAL, self.internal_address)):
            if role in self.roles and address is None:
                raise ValueError(
                    f"set PELLICULE_{role.upper()}_ADDRESS: the role {role} listens there;"
                    f" or leave {role} out of PELLICULE_ROLES"
                )
        return self

    @model_validator(mode="after")
    def callers_can_be_known(self) -> Self:
        """Refuse two sources of the issuer's keys, and none where calls are answered; likewise no subject key."""
        if not self.roles & SERVING:
            return self
        if (self.token_jwks_file is None) == (self.token_jwks_url is None):
            raise ValueError("set one of PELLICULE_TOKEN_JWKS_FILE and PELLICULE_TOKEN_JWKS_URL")
        if self.subject_key_file is None:
            raise ValueError(_NO_SUBJECT_KEY)
        return self

    @property
    def share_limits(self) -> ShareLimits:
        """What a caller may have of the process."""
        return ShareLimits(
            calls_per_second=self.caller_calls_per_second,
            messages_per_second=self.caller_messages_per_second,
            bytes_per_second=self.caller_bytes_per_second,
            calls_at_once=self.caller_calls_at_once,
            streams_at_once=self.caller_streams_at_once,
            connection_calls=self.connection_calls_at_once,
            process_calls=self.calls_at_once,
        )


class DatabaseSettings(BaseSettings):
    """The service's own PostgreSQL database."""

    model_config = _CONFIG

    database_url: SecretStr
    """`postgresql://role:password@host:port/database`, with `?sslmode=verify-full&sslrootcert=FILE` under TLS."""
    database_pool_size: Annotated[int, Field(ge=1)] = 8
    database_statement_timeout_seconds: Annotated[float, Field(gt=0)] = 15.0
    database_lock_timeout_seconds: Annotated[float, Field(gt=0)] = 5.0


class BusSettings(BaseSettings):
    """The NATS server with JetStream."""

    model_config = _CONFIG

    nats_url: SecretStr
    """`nats://user:password@host:port`, or `tls://...`: then nothing is said to a server without TLS."""
    nats_ca_file: Path | None = None
    """Certificates that the server is checked against under TLS; absent means the system's."""
    nats_replicas: Annotated[int, Field(ge=1, le=5)] = 1
    """Servers of the bus that keep each stream: 3 where it is a cluster of so many, so that one may be away."""


class ObjectStoreSettings(BaseSettings):
    """The S3 server and this service's own identity there."""

    model_config = _CONFIG

    s3_endpoint: str
    """`http://host:port` or `https://...`."""
    s3_access_key: str
    s3_secret_key: SecretStr
    s3_region: str = "us-east-1"
    s3_ca_file: Path | None = None
    """Certificates that the server is checked against under TLS; absent means the system's."""
    s3_concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    """Requests in flight at once; one thread and one kept connection each."""


class RetentionClientSettings(BaseSettings):
    """Where the keys are."""

    model_config = _CONFIG

    retention_target: Address
    """`host:port` of retention's internal listener."""


class ProcessSettings(ServiceSettings, DatabaseSettings, BusSettings):
    """What every process of a service reads."""


class WorkingProcessSettings(ProcessSettings):
    """What every process reads of a service that has heavy work, and workers for it."""

    offered_roles: ClassVar[frozenset[Role]] = ALL_ROLES

    @property
    def works_apart(self) -> bool:
        """Whether another process does the heavy work, or this one does nothing else: it is told of by hints then."""
        return (Role.UPKEEP in self.roles) != (Role.WORKER in self.roles)
