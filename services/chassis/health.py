"""Health of a server (grpc.health.v1): SERVING while it is ready, NOT_SERVING from the first word of stop."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio

from services.chassis.clock import Clock

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LIVENESS = "liveness"
"""Name under which is answered that the process lives, whatever it waits for: a probe that fails ends no process
because the database is away."""
_POLL_SECONDS = 2.0
_FIRST_POLL_SECONDS = 0.05
_CHECK_SECONDS = 5.0

_log = structlog.get_logger()


class Health:
    """Asks the service whether it is ready, and answers health checks with it."""

    def __init__(self, service_names: Sequence[str], ready: Callable[[], Awaitable[bool]] | None, clock: Clock) -> None:
        self._names = ("", *service_names)
        self._ready = ready
        self._clock = clock
        self._serving = False
        self._servicer = aio.HealthServicer()

    def register(self, server: grpc.aio.Server) -> None:
        """Add the health service to a server."""
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def start(self) -> None:
        """Says NOT_SERVING until the first check has passed; SERVING at once where there is no check."""
        await self._servicer.set(LIVENESS, _SERVING)
        await self._say(serving=self._ready is None)

    async def run(self) -> None:
        """Check for as long as it runs."""
        while self._ready is not None:
            await self._say(serving=await self._is_ready(self._ready))
            await self._clock.sleep(_POLL_SECONDS if self._serving else _FIRST_POLL_SECONDS)

    async def stop(self) -> None:
        """Says NOT_SERVING for good."""
        await self._servicer.enter_graceful_shutdown()

    async def _is_ready(self, ready: Callable[[], Awaitable[bool]]) -> bool:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                return await ready()
        except Exception as error:  # noqa: BLE001  # a check that fails is the answer "no", said in the log
            _log.warning("readiness_check_failed", exc_info=error)
            return False

    async def _say(self, *, serving: bool) -> None:
        self._serving = serving
        for name in self._names:
            await self._servicer.set(name, _SERVING if serving else _NOT_SERVING)
