"""Stack's parts and what each waits for: everything that is decided before anything starts."""

import importlib.util
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from deploy.declarations import DECLARATIONS, SERVICES
from deploy.local import authority
from deploy.local.accounts import account_remark
from deploy.local.credentials import Passwords
from deploy.local.disk import FULL_MB
from deploy.local.home import StackHome
from deploy.local.models import shipped_models
from deploy.local.parts.lifecycle import START_TIMEOUT, Part
from deploy.local.parts.minio import MinioServer
from deploy.local.parts.nats import PROBER, NatsServer
from deploy.local.parts.object_store import ObjectStoreChoice, identity_names
from deploy.local.parts.postgres import SUPERUSER, PostgresServer
from deploy.local.parts.process import Account
from deploy.local.parts.seaweedfs import SeaweedPorts, SeaweedServer
from deploy.local.parts.service import ServiceProcess
from deploy.local.parts.triton import TritonPorts, TritonServer, new_shared_memory_prefix
from deploy.local.parts.write_through import writes_through
from deploy.local.port_book import SEAWEED_PORTS, PortBook
from deploy.local.settings import DEFAULTS, OTLP_ENDPOINT, PREFIX, StackSettings
from deploy.provision.object_store import Identity

_OWN_ACCOUNT: Mapping[str, Account] = {}
_FORGETFUL = "a power cut takes the last photos: its file system cannot write through, as ext4 and XFS can"
_SIGNING_KEY = "seaweedfs-signing-key"
_NICENESS = {"analysis": 5, "suggestion": 5}
"""By how much one yields the processor to the others: work that no caller waits for takes whatever is left."""


async def never() -> bool:
    """Say that a bad probe was no answer: a server that still runs and answers wrongly is broken."""
    return False


@dataclass(frozen=True)
class Unit:
    """A part of the stack.

    Attributes:
        part: What is started.
        needs: Names of the parts that have to be ready before it is started.
        patience: Probes in a row without an answer after which it is started again although its process lives.
        lives: Says, after a bad probe, whether that was an answer nevertheless.
        interval: Seconds between two probes.
        start_timeout: Seconds that it may take until it answers.
        remark: What its operator should know of it although it is well.
    """

    part: Part
    needs: tuple[str, ...] = ()
    patience: int = 3
    lives: Callable[[], Awaitable[bool]] = never
    interval: float = 15.0
    start_timeout: float = START_TIMEOUT
    remark: str = ""


@dataclass(frozen=True)
class Plan:
    """A stack, before its start.

    Attributes:
        units: The parts, in the order of their needs.
        absent: Services that this checkout does not have.
        ports: The ports that are reserved for them.
    """

    units: tuple[Unit, ...]
    absent: tuple[str, ...]
    ports: PortBook


def make_plan(
    home: StackHome,
    object_store: ObjectStoreChoice,
    given: StackSettings = DEFAULTS,
    accounts: Mapping[str, Account] = _OWN_ACCOUNT,
) -> Plan:
    """Choose ports and passwords and put the parts together.

    Raises:
        StackError: PORT_TAKEN, a port that was asked for cannot be had.
    """
    ports = PortBook.reserve(home, chosen=given.ports, public_host=given.public_host)
    passwords = Passwords.ensure(home, _password_names())
    postgres = _postgres(home, ports, passwords)
    store = _object_store(home, ports, passwords, object_store)
    nats = _nats(home, ports, passwords)
    triton = _triton(home, ports, given.triton_growth)
    present = tuple(name for name in SERVICES if _is_present(name))
    settings = _Settings(home, ports, postgres, store, nats, triton, given)
    services = [_service(home, name, settings, accounts) for name in present]
    servers = [*map(Unit, (postgres, store, nats)), _models(triton, given)]
    absent = tuple(name for name in SERVICES if name not in present)
    units = (replace(unit, remark=_remark(unit, ports, home)) for unit in (*servers, *services))
    return Plan(tuple(units), absent, ports)


def _remark(unit: Unit, ports: PortBook, home: StackHome) -> str:
    part, own = unit.part.name, [unit.remark] if unit.remark else []
    outside = ports.outside(f"{part}-public") if part in SERVICES else ()
    forgetful = [_FORGETFUL] if part == SeaweedServer.name and not writes_through(home.path) else []
    return "; ".join([*(f"also at {address}" for address in outside), *ports.moves(part), *forgetful, *own])


def _is_present(service: str) -> bool:
    return (
        importlib.util.find_spec(f"services.{service}") is not None
        and importlib.util.find_spec(f"services.{service}.__main__") is not None
    )


def _password_names() -> Sequence[str]:
    databases = [f"postgres-{name}" for name in (SUPERUSER, *SERVICES)]
    users = [f"nats-{name}" for name in (PROBER, *SERVICES)]
    return (*databases, *users, *(f"s3-{name}" for name in identity_names()), _SIGNING_KEY)


def _postgres(home: StackHome, ports: PortBook, passwords: Passwords) -> PostgresServer:
    roles = {name: passwords.of(f"postgres-{name}") for name in (SUPERUSER, *SERVICES)}
    return PostgresServer(
        data=home.data("postgres"),
        log=home.log("postgres"),
        port=ports.number("postgres"),
        passwords=roles,
    )


def _nats(home: StackHome, ports: PortBook, passwords: Passwords) -> NatsServer:
    users = {name: passwords.of(f"nats-{name}") for name in (PROBER, *SERVICES)}
    return NatsServer(data=home.data("nats"), log=home.log("nats"), port=ports.number("nats"), passwords=users)


def _object_store(
    home: StackHome, ports: PortBook, passwords: Passwords, choice: ObjectStoreChoice
) -> SeaweedServer | MinioServer:
    identities = {name: Identity(name, passwords.of(f"s3-{name}")) for name in identity_names()}
    if choice == "minio":
        return MinioServer(
            data=home.data("minio"), log=home.log("minio"), port=ports.number("minio"), identities=identities
        )
    return SeaweedServer(
        data=home.data("seaweedfs"),
        log=home.log("seaweedfs"),
        ports=SeaweedPorts(*(ports.number(name) for name in SEAWEED_PORTS)),
        identities=identities,
        signing_key=passwords.of(_SIGNING_KEY),
    )


def _models(triton: TritonServer, given: StackSettings) -> Unit:
    """Ask often whether its models' processes live: while one is dead, nothing is understood."""
    remark = f"shows its measurements at {triton.metrics_address}" if given.values.get(OTLP_ENDPOINT) else ""
    return Unit(triton, patience=2, interval=5.0, remark=remark)


def _triton(home: StackHome, ports: PortBook, growth_megabytes: int) -> TritonServer:
    return TritonServer(
        data=home.data("triton"),
        log=home.log("triton"),
        ports=TritonPorts(ports.number("triton"), ports.number("triton-metrics")),
        models=lambda: shipped_models(home.data("triton") / "repository"),
        shared_memory_prefix=new_shared_memory_prefix(),
        growth_megabytes=growth_megabytes,
    )


@dataclass(frozen=True)
class _Settings:
    """What the services' settings are taken from."""

    home: StackHome
    ports: PortBook
    postgres: PostgresServer
    store: SeaweedServer | MinioServer
    nats: NatsServer
    triton: TritonServer
    given: StackSettings

    def of(self, name: str) -> Mapping[str, str]:
        """Return the environment of a service: what follows from the plan, and what its operator has set."""
        planned = {f"{PREFIX}{key}": value for key, value in self._planned(name).items()}
        given = self.given.of_services
        if f"{PREFIX}TOKEN_JWKS_URL" in given:  # another issuer's keys, in the place of the stack's own
            del planned[f"{PREFIX}TOKEN_JWKS_FILE"]
        return {**planned, **given}

    def _planned(self, name: str) -> Mapping[str, str]:
        certificate, key = self.home.certificate(name)
        return {
            "PUBLIC_ADDRESS": self.ports.listener(f"{name}-public"),
            "INTERNAL_ADDRESS": self.ports.address(f"{name}-internal"),
            "TLS_CA_FILE": str(self.home.authority),
            "TLS_CERT_FILE": str(certificate),
            "TLS_KEY_FILE": str(key),
            "TOKEN_JWKS_FILE": str(self.home.key(authority.JWKS)),
            "SUBJECT_KEY_FILE": str(self.home.key(authority.SUBJECT_KEY)),
            "WATCHED_DISK": str(self.home.path),
            "WATCHED_DISK_FLOOR_BYTES": str(FULL_MB << 20),
            "DATABASE_URL": self.postgres.url(name),
            "NATS_URL": self.nats.url(name),
            "JOURNAL_DIR": str(self.home.journal),
            **self._object_store(name),
            **self._targets(name),
            **self._of_one(name),
        }

    def _object_store(self, name: str) -> Mapping[str, str]:
        if not DECLARATIONS[name].stores_objects:
            return {}
        identity = self.store.identity(name)
        return {
            "S3_ENDPOINT": f"http://{self.store.address}",
            "S3_ACCESS_KEY": identity.access_key,
            "S3_SECRET_KEY": identity.secret_key,
        }

    def _targets(self, name: str) -> Mapping[str, str]:
        declared = DECLARATIONS[name]
        targets = {f"{called.upper()}_TARGET": self.ports.address(f"{called}-internal") for called in declared.calls}
        return {**targets, **({"TRITON_ADDRESS": self.triton.address} if declared.infers else {})}

    def _of_one(self, name: str) -> Mapping[str, str]:
        """Return what only one service is told: the keys that it alone may read, the disk that it alone measures."""
        if name == "retention":
            return {
                "ROOT_KEY_FILE": str(self.home.key(authority.ROOT_KEY)),
                "EPOCH_DIR": str(self.home.epochs),
                "WATCHED_DISK": str(self.home.path),
            }
        if name == "consent":
            return {
                "RECEIPT_KEY_FILE": str(self.home.key(authority.RECEIPT_KEY)),
                "RECORD_KEY_FILE": str(self.home.key(authority.RECORD_KEY)),
            }
        return {}


def _service(home: StackHome, name: str, settings: _Settings, accounts: Mapping[str, Account]) -> Unit:
    stores = (settings.store.name,) if DECLARATIONS[name].stores_objects else ()
    part = ServiceProcess(
        name,
        folder=home.data(name),
        log=home.log(name),
        address=settings.ports.address(f"{name}-public"),
        environment=settings.of(name),
        authority=home.authority,
        niceness=_NICENESS.get(name, 0),
        account=accounts.get(name),
    )
    # One that says that it does not serve may just lack a server.
    remark = account_remark(settings.given, accounts)
    return Unit(part, needs=("postgres", "nats", *stores), lives=part.answers, remark=remark)
