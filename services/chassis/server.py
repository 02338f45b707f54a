"""Service's two listeners: the public one for persons, the internal one for services; health, reflection, stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import grpc
import structlog
from opentelemetry.sdk.trace import TracerProvider

from services.chassis import limits
from services.chassis.access import AccessTable
from services.chassis.authentication import Authenticator
from services.chassis.chain import interceptor_chain
from services.chassis.clock import Clock
from services.chassis.gauges import Gauges, Look, disk_gauge
from services.chassis.health import Health
from services.chassis.interceptors import Deadlines
from services.chassis.issuer_keys import issuer_keys
from services.chassis.limits.admission import Admission
from services.chassis.limits.room import Room
from services.chassis.loops import enduring
from services.chassis.metrics import Measurements
from services.chassis.reflection import enable_reflection
from services.chassis.settings import ServiceSettings
from services.chassis.supervision import supervised
from services.chassis.telemetry import Collector, configure_metrics, configure_telemetry
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
    # A window that grows with the connection's speed reaches 16 MiB for each stream that is read slowly.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.server_handshake_timeout_ms", limits.HANDSHAKE_SECONDS * 1000),
    ("grpc.max_connection_idle_ms", limits.IDLE_CONNECTION_SECONDS * 1000),
)

_log = structlog.get_logger()


@dataclass(frozen=True)
class RunningServer:
    """A server that answers.

    Attributes:
        public_port: For persons, TLS.
        internal_port: For services, mTLS.
        health: Says whether it is ready.
    """

    public_port: int
    internal_port: int
    health: Health


def _register_nothing(server: grpc.aio.Server) -> None:
    """Add no service."""


@dataclass(frozen=True)
class InternalServices:
    """What services say to each other alone: the public listener neither serves nor describes it.

    Attributes:
        register: Adds these services to a server.
        names: Their full names, for health and reflection.
    """

    register: Callable[[grpc.aio.Server], None]
    names: Sequence[str]


NO_INTERNAL_SERVICES = InternalServices(_register_nothing, ())


async def serve(
    *,
    name: str,
    settings: ServiceSettings,
    register: Callable[[grpc.aio.Server], None],
    service_names: Sequence[str],
    access: AccessTable,
    clock: Clock,
    tasks: Sequence[Callable[[], Awaitable[None]]] = (),
    ready: Callable[[], Awaitable[bool]] | None = None,
    internal: InternalServices = NO_INTERNAL_SERVICES,
    gauges: Sequence[Look] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully: no new calls, calls in flight, tasks.

    Args:
        name: Of the service, as in its certificate; domain of its errors.
        settings: Addresses, certificates, tokens, traces, times of the stop.
        register: Adds the public services to a server; both listeners serve them.
        service_names: Full names of these services, for health and reflection.
        access: Who may call each RPC.
        clock: The process's clock.
        tasks: Run beside the server from before its start until after its stop; one that fails begins again.
        ready: Asked again and again; health says SERVING while it is true.
        internal: What the internal listener serves besides.
        gauges: What is looked at again and again where measurements are taken.
    """
    with _stop_signals() as stop:
        async with AsyncExitStack() as stack:
            collector = Collector.of(settings.otlp_endpoint, settings.otlp_ca_file)
            provider = configure_telemetry(name, collector, ratio=settings.trace_ratio)
            if provider is not None:
                stack.callback(provider.shutdown)
            measured = configure_metrics(name, collector)
            if measured is not None:
                stack.callback(measured.shutdown)
            looking = [] if measured is None else [Gauges(_looks(gauges, settings), Measurements(), clock).run]
            health_state = Health([*service_names, *internal.names], ready, clock)
            running = [enduring(task, clock) for task in (*tasks, *looking, health_state.run)]
            await stack.enter_async_context(supervised(running))
            await stack.enter_async_context(
                running_server(
                    name=name,
                    settings=settings,
                    register=register,
                    service_names=service_names,
                    access=access,
                    clock=clock,
                    health=health_state,
                    tracer_provider=provider,
                    internal=internal,
                )
            )
            await stop.wait()


@asynccontextmanager
async def running_server(
    *,
    name: str,
    settings: ServiceSettings,
    register: Callable[[grpc.aio.Server], None],
    service_names: Sequence[str],
    access: AccessTable,
    clock: Clock,
    health: Health | None = None,
    tracer_provider: TracerProvider | None = None,
    internal: InternalServices = NO_INTERNAL_SERVICES,
    measurements: Measurements | None = None,
) -> AsyncIterator[RunningServer]:
    """Run both listeners with the whole chain for the time of the block; arguments as for `serve`."""
    measured = measurements or Measurements()
    deadlines, authenticator = Deadlines(), _authenticator(settings, clock)
    state = health or Health([*service_names, *internal.names], None, clock)

    def server(
        names: Sequence[str],
        registers: Sequence[Callable[[grpc.aio.Server], None]],
        options: Sequence[tuple[str, int]],
        admission: Admission | None = None,
        *,
        trusts_traces: bool,
    ) -> grpc.aio.Server:
        chain = interceptor_chain(
            service=name,
            access=access,
            authenticator=authenticator,
            deadlines=deadlines,
            clock=clock,
            tracer_provider=tracer_provider,
            measurements=measured,
            goes_on=trusts_traces,
            admission=admission,
            room=Room(settings.watched_disk, settings.watched_disk_floor_bytes),
        )
        made = grpc.aio.server(interceptors=chain, options=options)
        for add in (*registers, state.register):
            add(made)
        enable_reflection(made, names)
        return made

    admission = Admission(settings.share_limits, clock)
    persons = server(service_names, [register], _PUBLIC_OPTIONS, admission, trusts_traces=False)
    every_name, every_register = [*service_names, *internal.names], [register, internal.register]
    services = server(every_name, every_register, _OPTIONS, trusts_traces=True)
    running = RunningServer(
        public_port=persons.add_secure_port(settings.public_address, public_credentials(settings)),
        internal_port=services.add_secure_port(settings.internal_address, internal_credentials(settings)),
        health=state,
    )
    await state.start()
    for each in (persons, services):
        await each.start()
    _log.info("server_started", port=[running.public_port, running.internal_port])
    try:
        yield running
    finally:
        await _stop((persons, services), state, deadlines, settings, clock)


async def _stop(
    servers: Sequence[grpc.aio.Server], state: Health, deadlines: Deadlines, settings: ServiceSettings, clock: Clock
) -> None:
    await state.stop()
    await clock.sleep(settings.drain_seconds)
    stopping = [asyncio.create_task(server.stop(settings.stop_grace_seconds)) for server in servers]
    deadlines.end_open_streams()
    await asyncio.gather(*stopping)
    _log.info("server_stopped")


def _looks(gauges: Sequence[Look], settings: ServiceSettings) -> Sequence[Look]:
    return gauges if settings.watched_disk is None else [*gauges, disk_gauge(settings.watched_disk)]


def _authenticator(settings: ServiceSettings, clock: Clock) -> Authenticator:
    verifier = TokenVerifier(
        issuer_keys(settings, clock),
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        clock=clock,
    )
    return Authenticator(verifier, SubjectKey.read(settings.subject_key_file), clock)


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
