"""How the tests ask: four numbers, doubled."""

import asyncio
import time

import numpy as np

from inference.client.client import InferenceClient
from inference.client.errors import ModelUnavailable
from inference.client.tensors import OutputSpec

TWICE = (OutputSpec("y", (4,)),)


class SkippingClock:
    """The machine's clock, which a test can put forward."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self._skipped

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def skip(self, seconds: float) -> None:
        self._skipped += seconds


async def infer_once(
    client: InferenceClient,
    number: float = 1.0,
    *,
    count: int = 1,
    model: str = "doubler",
    deadline: float | None = None,
) -> float:
    """Asks with `count` equal examples; returns the first number of the last answer, which is right if it is twice."""
    x = np.full((count, 4), number, np.float32)
    answer = await client.infer(model, {"x": x}, TWICE, deadline=deadline)
    doubled = answer.floats("y")
    assert doubled.shape == (count, 4)
    return float(doubled[-1, 0])


async def until_answered(client: InferenceClient, number: float = 1.0) -> float:
    """Asks as a worker does: what is refused is asked again, when the refusal says."""
    while True:
        try:
            return await infer_once(client, number)
        except ModelUnavailable as error:
            await asyncio.sleep(min(error.retry_after.total_seconds(), 0.2))


async def at_a_time(client: InferenceClient, callers: int, *, requests: int) -> None:
    """Asks so many times in all, with so many callers that each ask again as soon as they are answered."""
    left = iter(range(requests))

    async def ask() -> None:
        for _ in left:
            await infer_once(client)

    await asyncio.gather(*(ask() for _ in range(callers)))
