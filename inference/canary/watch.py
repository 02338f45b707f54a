"""Watch over one server: rounds for as long as it runs, told to those who ask for its health (grpc.health.v1).

Two names are answered. The empty one is SERVING while the last round was well: callers may come. `liveness` is
SERVING until no round has been well for a time, as after the death of a model process, or the server is due for another
reason: only a restart helps then.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio

from inference.canary.rounds import Finding, Outcome
from inference.client.clock import Clock

READINESS: Final = ""
LIVENESS: Final = "liveness"
_STATES: Final = {True: health_pb2.HealthCheckResponse.SERVING, False: health_pb2.HealthCheckResponse.NOT_SERVING}


def is_well(findings: Sequence[Finding]) -> bool:
    """Return whether no model answered wrongly."""
    return bool(findings) and all(finding.outcome is not Outcome.WRONG for finding in findings)


@dataclass(frozen=True)
class Pace:
    """How often is asked, and how long a server may fail.

    Attributes:
        every: seconds between two rounds.
        patience: seconds without a round that was well, after which only a restart helps.
    """

    every: float
    patience: float


class Watch:
    """Asks again and again, and says what it found.

    Args:
        ask: One round.
        told: Hears of a round whose outcomes are not those of the last one.
        clock: The process's clock.
        pace: How often.
        is_due: Whether the server has to start again, however well it answers.

    Attributes:
        states: What is answered to those who ask for the health of a name: whether it is SERVING.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[Sequence[Finding]]],
        told: Callable[[Sequence[Finding]], None],
        clock: Clock,
        pace: Pace,
        is_due: Callable[[], Awaitable[bool]] | None = None,
    ) -> None:
        self._ask, self._told, self._clock, self._pace, self._is_due = ask, told, clock, pace, is_due
        self._due = False
        self.states: Mapping[str, bool] = {}
        self._last_well = clock.monotonic()
        self._last: list[tuple[str, Outcome]] = []
        self._servicer = aio.HealthServicer()

    @asynccontextmanager
    async def listening(self, address: str) -> AsyncIterator[int]:
        """Answer health checks for as long as the block lasts; yield the port."""
        server = grpc.aio.server()
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)
        port = server.add_insecure_port(address)
        await self._say(ready=False)
        await server.start()
        try:
            yield port
        finally:
            await self._servicer.enter_graceful_shutdown()
            await server.stop(grace=1.0)

    async def run(self) -> None:
        """Ask for as long as it runs."""
        while True:
            await self.round()
            await self._clock.sleep(self._pace.every)

    async def round(self) -> None:
        """Ask once."""
        findings = await self._ask()
        well, now = is_well(findings), self._clock.monotonic()
        self._last_well = now if well else self._last_well
        self._due = self._is_due is not None and await self._is_due()
        await self._say(ready=well)
        outcomes = [(finding.model, finding.outcome) for finding in findings]
        if outcomes != self._last:
            self._last = outcomes
            self._told(findings)

    async def _say(self, *, ready: bool) -> None:
        alive = self._clock.monotonic() - self._last_well < self._pace.patience
        self.states = {READINESS: ready, LIVENESS: alive and not self._due}
        for name, serving in self.states.items():
            await self._servicer.set(name, _STATES[serving])


async def wait_until_well(
    ask: Callable[[], Awaitable[Sequence[Finding]]], clock: Clock, *, seconds: float, every: float = 1.0
) -> Sequence[Finding]:
    """Ask until a round is well, or the time is over; return the last round."""
    end = clock.monotonic() + seconds
    while True:
        findings = await ask()
        if is_well(findings) or clock.monotonic() + every > end:
            return findings
        await clock.sleep(every)
