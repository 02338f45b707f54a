"""Servers of a process: one for persons, one for services, one for health alone, each with its chain and port."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import grpc
import structlog
from opentelemetry.sdk.trace import TracerProvider

from services.chassis import limits
from services.chassis.access import AccessTable
from services.chassis.authentication import Authenticator
from services.chassis.certificates.files import Identity
from services.chassis.certificates.renewal import Renewed
from services.chassis.chain import interceptor_chain
from services.chassis.clock import Clock
from services.chassis.health import Health
from services.chassis.interceptors import Deadlines
from services.chassis.issuer_keys import issuer_keys
from services.chassis.limits.admission import Admission
from services.chassis.limits.room import Room
from services.chassis.metrics import Measurements
from services.chassis.reflection import enable_reflection
from services.chassis.settings import ServiceSettings
from services.chassis.tls import internal_credentials, public_credentials
from services.chassis.tokens import SubjectKey, TokenVerifier

_OPTIONS = (
    ("grpc.max_receive_message_length", limits.RECEIVED_MESSAGE_BYTES),
    ("grpc.max_send_message_length", limits.MAX_MESSAGE_BYTES),
    # Two processes that share a port by accident would answer in turns.
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", limits.KEEPALIVE_SECONDS * 1000),
    ("grpc.keepalive_timeout_ms", limits.KEEPALIVE_TIMEOUT_SECONDS * 1000),
    # Channels ping every 20 s (channels.py), also while they are idle.
    ("grpc.http2.min_ping_interval_without_data_ms", limits.SHORTEST_PING_SECONDS * 1000),
    ("grpc.keepalive_permit_without_calls", 1),
)
# Services share one connection to each other, whatever they do at a time: only strangers are limited.
_PUBLIC_OPTIONS = (
    *_OPTIONS,
    ("grpc.max_concurrent_streams", limits.MAX_STREAMS),
    # gRPC refuses new calls of anyone, without a reason, once more than this wait to be accepted.
    ("grpc.server.max_pending_requests", limits.PENDING_CALLS),
    ("grpc.server.max_pending_requests_hard_limit", 2 * limits.PENDING_CALLS),
    # A window that grows with the connection's speed reaches 16 MiB for each stream that is read slowly.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.server_handshake_timeout_ms", limits.HANDSHAKE_SECONDS * 1000),
    ("grpc.max_connection_idle_ms", limits.IDLE_CONNECTION_SECONDS * 1000),
)

_log = structlog.get_logger()


def _register_nothing(server: grpc.aio.Server) -> None:
    """Add no service."""


@dataclass(frozen=True)
class Served:
    """What a server serves.

    Attributes:
        register: Adds services to a server.
        names: Their full names, for health and reflection.
    """

    register: Callable[[grpc.aio.Server], None]
    names: Sequence[str]


@dataclass(frozen=True)
class InternalServices(Served):
    """What services say to each other alone: the public listener neither serves nor describes it."""


NO_INTERNAL_SERVICES = InternalServices(_register_nothing, ())


@dataclass(frozen=True)
class Opened:
    """A server and the port that it was given; it answers once it is started."""

    server: grpc.aio.Server
    port: int


@dataclass(frozen=True)
class Servers:
    """The servers that a process may have.

    Attributes:
        service: Name of the service.
        settings: Addresses, tokens, limits.
        own: The certificate of the process.
        access: Who may call each RPC.
        clock: The process's clock.
        health: Answered on each of them.
        deadlines: Of all their calls.
        tracer_provider: Makes spans; None when traces are off.
        measurements: Takes durations down.
        admission: Lets calls of persons in; one of its own if none is given.
    """

    service: str
    settings: ServiceSettings
    own: Renewed[Identity]
    access: AccessTable
    clock: Clock
    health: Health
    deadlines: Deadlines
    tracer_provider: TracerProvider | None
    measurements: Measurements
    admission: Admission | None = None

    def persons(self, address: str, served: Served) -> Opened:
        """Open the public listener: what one caller has in work is limited, and traces of callers end at it."""
        admission = self.admission or Admission(self.settings.share_limits, self.clock)
        made = self._server([served], _PUBLIC_OPTIONS, admission, trusts_traces=False)
        if self.settings.public_tls:
            return Opened(made, made.add_secure_port(address, public_credentials(self.own)))
        _log.warning("public_listener_in_clear")
        return Opened(made, made.add_insecure_port(address))

    def services(self, address: str, served: Sequence[Served]) -> Opened:
        """Open the internal listener: services alone call there, and each is known by its certificate."""
        made = self._server(served, _OPTIONS, None, trusts_traces=True)
        return Opened(made, made.add_secure_port(address, internal_credentials(self.own)))

    def probes(self, address: str) -> Opened:
        """Open the listener of health alone, in clear: what asks there has no certificate and learns nothing else."""
        made = grpc.aio.server(options=_PUBLIC_OPTIONS)
        self.health.register(made)
        return Opened(made, made.add_insecure_port(address))

    def _server(
        self,
        served: Sequence[Served],
        options: Sequence[tuple[str, int]],
        admission: Admission | None,
        *,
        trusts_traces: bool,
    ) -> grpc.aio.Server:
        chain = interceptor_chain(
            service=self.service,
            access=self.access,
            authenticator=self._authenticator,
            deadlines=self.deadlines,
            clock=self.clock,
            tracer_provider=self.tracer_provider,
            measurements=self.measurements,
            goes_on=trusts_traces,
            admission=admission,
            room=Room(self.settings.watched_disk, self.settings.watched_disk_floor_bytes),
        )
        ageing = ("grpc.max_connection_age_ms", limits.CONNECTION_AGE_SECONDS * 1000)
        made = grpc.aio.server(interceptors=chain, options=[*options, ageing])
        for each in served:
            each.register(made)
        self.health.register(made)
        enable_reflection(made, [name for each in served for name in each.names])
        return made

    @cached_property
    def _authenticator(self) -> Authenticator:
        verifier = TokenVerifier(
            issuer_keys(self.settings, self.clock),
            issuer=self.settings.token_issuer,
            audience=self.settings.token_audience,
            clock=self.clock,
        )
        return Authenticator(verifier, SubjectKey.read(self.settings.own_subject_key_file), self.clock)
