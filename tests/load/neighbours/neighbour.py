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

_PAUSE_SECONDS = 0.1
"""Between two pairs of reads, and between two uploads, so that the neighbour stays far below its own share."""


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
    await asyncio.gather(_read(phone, waits, end), _upload(phone, waits, end))
    return waits


async def _read(phone: Phone, waits: Waits, end: float) -> None:
    while time.perf_counter() < end:
        waits.reads.append(await _timed(_usage(phone)))
        waits.reads.append(await _timed(_newest(phone)))
        await asyncio.sleep(_PAUSE_SECONDS)


async def _upload(phone: Phone, waits: Waits, end: float) -> None:
    while time.perf_counter() < end:
        waits.uploads.append(await _timed(phone.upload(picture(seed=secrets.randbelow(2**31)))))
        await asyncio.sleep(_PAUSE_SECONDS)


async def _usage(phone: Phone) -> None:
    await phone.stub.GetUsage(media_service_pb2.GetUsageRequest(), metadata=phone.headers, timeout=CALL_SECONDS)


async def _newest(phone: Phone) -> None:
    """List one page: all of them would be more calls each time, and in the end more than the neighbour's share."""
    request = media_service_pb2.ListMediaRequest(page_size=10)
    await phone.stub.ListMedia(request, metadata=phone.headers, timeout=CALL_SECONDS)


async def _timed(call: Awaitable[object]) -> float:
    started = time.perf_counter()
    await call
    return time.perf_counter() - started
