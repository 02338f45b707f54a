"""A wire in memory, of which a test decides what each call ends with."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from inference.client.client import InferenceClient
from inference.client.error_classes import ErrorClass, Failed
from inference.client.retries import CallPolicy
from inference.client.tensors import Facts, OutputSpec, TensorFacts, Tensors
from tests.fakes.clock import FakeClock

MODEL = "doubler"
TWICE = (OutputSpec("y", (4,)),)

Step = Callable[[], Awaitable[None]]


class FakeWire:
    """Doubles four numbers, after the steps that were put in front of it.

    Attributes:
        steps: What the next calls do first; they may raise.
        allowed: Seconds that each call was given.
        known: What it says of every model.
    """

    def __init__(self) -> None:
        self.steps = deque[Step]()
        self.allowed: list[float] = []
        self.known = Facts(MODEL, "", 8, 1, {"x": TensorFacts("FP32", (4,))}, {"y": TensorFacts("FP32", (4,))})
        self.closed = False

    async def infer(self, model: str, inputs: Tensors, outputs: Sequence[str], *, seconds: float) -> Tensors:
        self.allowed.append(seconds)
        if self.steps:
            await self.steps.popleft()()
        return {"y": 2 * np.asarray(inputs["x"], np.float32)}

    async def facts(self, model: str, *, seconds: float) -> Facts:
        return self.known

    async def close(self) -> None:
        self.closed = True


def fails(error_class: ErrorClass) -> Step:
    async def step() -> None:
        raise Failed(error_class, "so it was said")

    return step


def takes(clock: FakeClock, seconds: float) -> Step:
    async def step() -> None:
        await clock.sleep(seconds)

    return step


def client_on(
    wire: FakeWire, clock: FakeClock, policy: CallPolicy | None = None, **settings: object
) -> InferenceClient:
    return InferenceClient("", clock, wire=wire, policy=policy or CallPolicy(), **settings)  # type: ignore[arg-type]


async def infer_once(client: InferenceClient, *, deadline: float | None = None) -> float:
    answer = await client.infer(MODEL, {"x": np.ones((1, 4), np.float32)}, TWICE, deadline=deadline)
    return float(answer.floats("y")[0, 0])
