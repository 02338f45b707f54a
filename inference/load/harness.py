"""Load generator: requests at set times, whatever the server does (open loop), or so many at a time (closed loop)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from inference.client.clock import Clock


class Outcome(StrEnum):
    """How a request ended.

    Attributes:
        ANSWERED: with an answer that is whole.
        REFUSED: with word that there is no place now; nothing is lost, the caller comes again.
        FAILED: otherwise.
        NOT_SENT: never begun, because as many were outstanding as the test itself allows.
    """

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_SENT = "not_sent"


Send = Callable[[int], Awaitable[Outcome]]
"""Sends the request of a number; returns how it ended, and raises nothing."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request; times in seconds from the beginning of the run.

    Attributes:
        due: When it was to be sent.
        sent: When it was.
        ended: When its end was known.
        outcome: How it ended.
    """

    due: float
    sent: float
    ended: float
    outcome: Outcome

    @property
    def latency(self) -> float:
        """Seconds from when it was due to its end."""
        return self.ended - self.due


@dataclass(frozen=True)
class Run:
    """The requests of one run, in the order of their ends.

    Attributes:
        samples: All of them.
        seconds: What rates are taken over: of an open loop, for how long requests were due (the last ones end later);
            of a closed loop, until the last has ended.
    """

    samples: tuple[Sample, ...]
    seconds: float


class _Recorder:
    """Notes requests of one run."""

    def __init__(self, send: Send, clock: Clock) -> None:
        self._send = send
        self._clock = clock
        self._started = clock.monotonic()
        self.samples: list[Sample] = []
        self.outstanding = 0

    def now(self) -> float:
        """Return seconds from the beginning."""
        return self._clock.monotonic() - self._started

    async def send(self, number: int, due: float) -> None:
        """Send one request and note how it ended."""
        sent = self.now()
        outcome = await self._send(number)
        self.outstanding -= 1
        self.samples.append(Sample(due, sent, self.now(), outcome))

    def skip(self, due: float) -> None:
        """Note a request that was not sent."""
        self.samples.append(Sample(due, due, due, Outcome.NOT_SENT))


async def open_loop(
    send: Send, due_times: Iterable[float], seconds: float, clock: Clock, *, most_outstanding: int
) -> Run:
    """Send each request when it is due, and wait for the end of all.

    Args:
        send: sends one.
        due_times: seconds from now, in rising order.
        seconds: for how long requests are due.
        clock: of the process.
        most_outstanding: bounds the memory of this process; what is due beyond is noted as not sent.
    """
    recorder = _Recorder(send, clock)
    async with asyncio.TaskGroup() as group:
        for number, due in enumerate(due_times):
            if (ahead := due - recorder.now()) > 0:
                await clock.sleep(ahead)
            if recorder.outstanding >= most_outstanding:
                recorder.skip(due)
                continue
            recorder.outstanding += 1
            group.create_task(recorder.send(number, due))
    return Run(tuple(recorder.samples), seconds)


async def closed_loop(send: Send, in_flight: int, seconds: float, clock: Clock) -> Run:
    """Keep so many requests in flight for a time; each sender sends when its last request has ended.

    It finds the most that a server can do: all requests, over the time until the last has ended, which is as exact for
    slow models as for quick ones. Latencies of a closed loop hide stalls: compare none of them.

    Args:
        send: sends one.
        in_flight: senders.
        seconds: how long new requests are begun.
        clock: of the process.
    """
    recorder = _Recorder(send, clock)

    async def sender(first: int) -> None:
        number = first
        while (due := recorder.now()) < seconds:
            recorder.outstanding += 1
            await recorder.send(number, due)
            number += in_flight

    async with asyncio.TaskGroup() as group:
        for first in range(in_flight):
            group.create_task(sender(first))
    return Run(tuple(recorder.samples), recorder.now())
