"""Service part: one of the project's own services, in a process of its own."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.parts.process import Account, Command, ServerProcess

_PROBE_SECONDS = 3.0
# The services have threads of their own: those of the linear algebra library would only spin beside them.
_ENVIRONMENT = {"PYTHONUNBUFFERED": "1", "GRPC_VERBOSITY": "ERROR", "OPENBLAS_NUM_THREADS": "1"}


class ServiceProcess:
    """A service started as `python -m services.<name>`.

    Args:
        name: The service.
        folder: Its working folder.
        log: Its log file.
        address: `host:port` of its public listener, where its health is asked.
        environment: Its settings.
        authority: PEM of the authority that its certificate is checked against.
        niceness: By how much it yields the processor to the others.
        account: Whom it runs as; None for the starter's own.
    """

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        log: Path,
        address: str,
        environment: Mapping[str, str],
        authority: Path,
        niceness: int = 0,
        account: Account | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self._folder = folder
        self._log = log
        self.environment = environment
        self._authority = authority
        self._niceness = niceness
        self._account = account

    async def start(self) -> ServerProcess:
        """Start it; it runs its migrations by itself."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        process = ServerProcess.start(
            Command(
                Path(sys.executable),
                ("-m", f"services.{self.name}"),
                log=self._log,
                directory=self._folder,
                environment={**_ENVIRONMENT, **self.environment},
                # Without its supervisor it has no servers either: there is nothing left to end gracefully.
                death_signal=signal.SIGKILL,
                account=self._account,
            )
        )
        if self._niceness:
            # At once: the threads that it makes take over what its first one has.
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, process.pid, min(own + self._niceness, 19))
        return process

    async def probe(self) -> bool:
        """Asks its health over TLS, as any of its callers could."""
        from grpc_health.v1 import health_pb2

        return await self._health() == health_pb2.HealthCheckResponse.SERVING

    async def answers(self) -> bool:
        """Say whether it answers at all, if only that it cannot serve for want of a server."""
        return await self._health() is not None

    async def _health(self) -> int | None:
        """Return what it says of its health; None when it says nothing."""
        import grpc
        from grpc_health.v1 import health_pb2

        credentials = grpc.ssl_channel_credentials(self._authority.read_bytes())
        async with grpc.aio.secure_channel(self.address, credentials) as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                answer = await check(health_pb2.HealthCheckRequest(), timeout=_PROBE_SECONDS)
            except grpc.aio.AioRpcError as error:
                silent = error.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE)
                return None if silent else health_pb2.HealthCheckResponse.UNKNOWN
        return int(answer.status)

    async def provision(self) -> None:
        """Make nothing: a service makes what it needs itself."""

    def litter(self) -> Sequence[str]:
        """Leaves nothing outside its folder."""
        return ()
