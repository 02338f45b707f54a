"""A neighbour: another person who goes on as always, and how long they wait."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Self

from pellicule.ingest.v1 import media_service_pb2
from tests.integration.ingest.harness import CALL_SECONDS, Phone
from tests.unit.ingest.pictures import picture

_PAUSE_SECONDS = 0.06
"""Between two pairs of reads, so that the neighbour stays far below its own share."""


@dataclass
class Waits:
    """How long answers took, in seconds, by kind of call."""

    reads: list[float] = field(default_factory=list)
    uploads: list[float] = field(default_factory=list)

    def __iadd__(self, other: Waits) -> Self:
        self.reads += other.reads
        self.uploads += other.uploads
        return self


def percentile(waits: Sequence[float], share: float) -> float:
    """Return an exact percentile, by nearest rank."""
    ordered = sorted(waits)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def live(phone: Phone, seconds: float) -> Waits:
    """Read and upload for a while, as a phone does; whatever fails is a failure of the test."""
    waits, end = Waits(), time.perf_counter() + seconds
    while time.perf_counter() < end:
        for _ in range(4):
            waits.reads.append(await _timed(_usage(phone)))
            waits.reads.append(await _timed(phone.list(10)))
            await asyncio.sleep(_PAUSE_SECONDS)
        waits.uploads.append(await _timed(phone.upload(picture(seed=secrets.randbelow(2**31)))))
    return waits


async def _usage(phone: Phone) -> None:
    await phone.stub.GetUsage(media_service_pb2.GetUsageRequest(), metadata=phone.headers, timeout=CALL_SECONDS)


async def _timed(call: Awaitable[object]) -> float:
    started = time.perf_counter()
    await call
    return time.perf_counter() - started
