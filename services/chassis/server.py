"""Process of a service: its listeners, its tasks, its stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import grpc
import structlog
from opentelemetry.sdk.trace import TracerProvider

from services.chassis.access import AccessTable
from services.chassis.certificates.renewal import Certificates
from services.chassis.clock import Clock
from services.chassis.garbage import look_at_less_garbage
from services.chassis.gauges import Gauges, Look, certificate_gauges, disk_gauge
from services.chassis.grpc_servers import NO_INTERNAL_SERVICES, InternalServices, Opened, Served, Servers
from services.chassis.health import Health
from services.chassis.interceptors import Deadlines
from services.chassis.limits.admission import Admission
from services.chassis.loops import enduring
from services.chassis.metrics import Measurements
from services.chassis.roles import SERVING, Role
from services.chassis.settings import ServiceSettings
from services.chassis.supervision import supervised
from services.chassis.tasks import NO_TASKS, Tasks
from services.chassis.telemetry.collector import Collector
from services.chassis.telemetry.process import LoopDelay, ProcessGauges
from services.chassis.telemetry.providers import telemetry

__all__ = ["InternalServices", "RunningServer", "running_server", "serve"]

_log = structlog.get_logger()


@dataclass(frozen=True)
class RunningServer:
    """A server that answers.

    Attributes:
        health: Says whether it is ready.
        public_port: For persons, TLS; 0 in a process without the role.
        internal_port: For services, mTLS; 0 in a process without the role.
        health_port: For probes, in clear; 0 where no address is set.
    """

    health: Health
    public_port: int = 0
    internal_port: int = 0
    health_port: int = 0


async def serve(
    *,
    name: str,
    settings: ServiceSettings,
    register: Callable[[grpc.aio.Server], None],
    service_names: Sequence[str],
    access: AccessTable,
    clock: Clock,
    tasks: Tasks = NO_TASKS,
    ready: Callable[[], Awaitable[bool]] | None = None,
    internal: InternalServices = NO_INTERNAL_SERVICES,
    gauges: Sequence[Look] = (),
    certificates: Certificates | None = None,
    shared_gauges: Sequence[Look] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully: no new calls, calls in flight, tasks.

    Args:
        name: Of the service, as in its certificate; domain of its errors.
        settings: Addresses, certificates, tokens, traces, times of the stop.
        register: Adds the public services to a server; both listeners serve them.
        service_names: Full names of these services, for health and reflection.
        access: Who may call each RPC.
        clock: The process's clock.
        tasks: Those of the process's roles run from before the servers' start until after their stop; one that
            fails begins again.
        ready: Asked again and again; health says SERVING while it is true.
        internal: What the internal listener serves besides.
        gauges: What is looked at again and again where measurements are taken, in each process.
        shared_gauges: What looks the same from each process: those with the role upkeep look.
        certificates: Those that the process's channels have as well; read here if it has none.
    """
    certificates = certificates or Certificates(settings, clock)
    with _stop_signals() as stop:
        async with AsyncExitStack() as stack:
            collector = Collector.of(settings.otlp_endpoint, settings.otlp_ca_file, certificates)
            told = await stack.enter_async_context(telemetry(name, collector, ratio=settings.trace_ratio))
            admission = Admission(settings.share_limits, clock)
            shared = shared_gauges if Role.UPKEEP in settings.roles else ()
            looks = [*gauges, *shared, admission.look, certificate_gauges(certificates)]
            looking = [] if told is None else _looking(looks, settings, clock)
            health_state = Health([*service_names, *internal.names], ready, clock)
            light = (certificates.run, *tasks.light(settings.roles), *looking, health_state.run)
            await stack.enter_async_context(supervised([enduring(task, clock) for task in light]))
            for task in tasks.heavy(settings.roles):
                await stack.enter_async_context(supervised([enduring(task, clock)]))
            await stack.enter_async_context(
                running_server(
                    name=name,
                    settings=settings,
                    register=register,
                    service_names=service_names,
                    access=access,
                    clock=clock,
                    health=health_state,
                    tracer_provider=None if told is None else told.tracers,
                    admission=admission,
                    internal=internal,
                    certificates=certificates,
                )
            )
            look_at_less_garbage()
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
    certificates: Certificates | None = None,
    admission: Admission | None = None,
) -> AsyncIterator[RunningServer]:
    """Run both listeners with the whole chain for the time of the block; arguments as for `serve`."""
    deadlines = Deadlines()
    state = health or Health([*service_names, *internal.names], None, clock)
    measured = measurements or Measurements()
    own = (certificates or Certificates(settings, clock)).own
    servers = Servers(name, settings, own, access, clock, state, deadlines, tracer_provider, measured, admission)
    opened = _open(servers, settings, Served(register, service_names), internal)
    ports = {f"{kind}_port": each.port for kind, each in opened.items()}
    await state.start()
    for each in opened.values():
        await each.server.start()
    _log.info("server_started", port=list(ports.values()))
    try:
        yield RunningServer(state, **ports)
    finally:
        await _stop([each.server for each in opened.values()], state, deadlines, settings, clock)


def _open(
    servers: Servers, settings: ServiceSettings, public: Served, internal: InternalServices
) -> Mapping[str, Opened]:
    """Open the listeners of the process's roles, by their names; the one for probes has no role."""
    opened = dict[str, Opened]()
    if Role.PUBLIC in settings.roles and settings.public_address:
        opened["public"] = servers.persons(settings.public_address, public)
    if Role.INTERNAL in settings.roles and settings.internal_address:
        opened["internal"] = servers.services(settings.internal_address, [public, internal])
    if settings.health_address:
        opened["health"] = servers.probes(settings.health_address)
    return opened


async def _stop(
    servers: Sequence[grpc.aio.Server], state: Health, deadlines: Deadlines, settings: ServiceSettings, clock: Clock
) -> None:
    await state.stop()
    await clock.sleep(settings.drain_seconds if SERVING & settings.roles else 0)
    stopping = [asyncio.create_task(server.stop(settings.stop_grace_seconds)) for server in servers]
    deadlines.end_open_streams()
    await asyncio.gather(*stopping)
    _log.info("server_stopped")


def _looking(
    gauges: Sequence[Look], settings: ServiceSettings, clock: Clock
) -> Sequence[Callable[[], Awaitable[None]]]:
    disk = [] if settings.watched_disk is None else [disk_gauge(settings.watched_disk)]
    measurements = Measurements()
    looks: Sequence[Look] = [*gauges, *disk, ProcessGauges()]
    return [Gauges(looks, measurements, clock).run, LoopDelay(measurements, clock).run]


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
