"""The models on an inference server that speaks the KServe protocol over gRPC, such as Triton."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import structlog
import tritonclient.grpc.aio as triton
from numpy.typing import NDArray
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from tritonclient.utils import InferenceServerException

from inference.vision.pictures import Picture
from services.analysis.errors import (
    ModelAnswerBroken,
    ModelBusy,
    ModelFault,
    ModelMissing,
    ModelUnavailable,
    TensorRefused,
)
from services.analysis.flow import Breaker, Gate, GateFull, RetryBudget
from services.analysis.ports import Detections, Floats, Scene
from services.analysis.triton_status import Verdict, verdict
from services.chassis.clock import Clock

DETECTOR: Final = "face_detector"
EMBEDDER: Final = "face_embedder"
SCENES: Final = "scene_classifier"
KINDS: Final = "document_head"

_MESSAGE_BYTES: Final = 64 * 1024 * 1024
_ATTEMPTS: Final = 3
_MARGIN_SECONDS: Final = 0.05
_CONFIG_SECONDS: Final = 5.0
_SCENE_EMBEDDING: Final = 1280
_CLASSES: Final = 1000
_KINDS: Final = 4
_DESCRIPTOR: Final = 128
# Giving channel options takes the place of all defaults, so those that matter are said again.
_CHANNEL: Final = [
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]

_log = structlog.stdlib.get_logger()


@dataclass(frozen=True)
class Patience:
    """How long is waited.

    Attributes:
        place: For a place among the requests in flight, in seconds.
        answer: For an answer, retries included, in seconds.
        first_retry: Up to this long before the first retry, in seconds; doubles.
    """

    place: float = 20.0
    answer: float = 10.0
    first_retry: float = 0.1


class _Failed(Exception):
    """An error of the server, judged."""

    def __init__(self, verdict: Verdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict


@dataclass(frozen=True)
class _Lane:
    """The way to one model: how much may be on it, and whether it is open."""

    gate: Gate
    breaker: Breaker
    largest_batch: int


class TritonModels:
    """Implements `Models`. One for each event loop."""

    def __init__(self, address: str, clock: Clock, patience: Patience | None = None) -> None:
        """Prepares; nothing is sent before the first question.

        Args:
            address: `host:port` of the server's gRPC endpoint.
            clock: The process's clock.
            patience: How long is waited.
        """
        self._client = triton.InferenceServerClient(address, channel_args=_CHANNEL)
        self._clock = clock
        self._patience = patience or Patience()
        self._budget = RetryBudget()
        self._lanes: dict[str, _Lane] = {}
        self._breakers = {name: Breaker(clock) for name in (DETECTOR, EMBEDDER, SCENES, KINDS)}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def detect(self, canvas: Picture) -> Detections:
        """Finds face candidates (`Models.detect`)."""
        answer = await self._ask(DETECTOR, {"image": canvas[None]}, ("boxes", "scores", "landmarks"))
        boxes, scores, landmarks = answer["boxes"], answer["scores"], answer["landmarks"]
        count = scores.shape[-1]
        _check(DETECTOR, (boxes.shape, landmarks.shape), ((1, count, 4), (1, count, 5, 2)))
        return Detections(boxes[0], scores[0], landmarks[0])

    async def classify(self, square: Picture) -> Scene:
        """Describes a picture (`Models.classify`)."""
        answer = await self._ask(SCENES, {"image": square[None]}, ("logits", "embedding"))
        logits, embedding = answer["logits"], answer["embedding"]
        _check(SCENES, (logits.shape, embedding.shape), ((1, _CLASSES), (1, _SCENE_EMBEDDING)))
        return Scene(logits[0], embedding[0])

    async def tell_kind(self, embedding: Floats) -> Floats:
        """Tells photos from papers and screens (`Models.tell_kind`)."""
        answer = await self._ask(KINDS, {"embedding": embedding[None]}, ("probabilities",))
        probabilities = answer["probabilities"]
        _check(KINDS, (probabilities.shape,), ((1, _KINDS),))
        return probabilities.reshape(_KINDS)

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        """Describes faces (`Models.embed`), in as few requests as the server takes."""
        largest = (await self._lane(EMBEDDER)).largest_batch
        portions = [np.stack(chips[start : start + largest]) for start in range(0, len(chips), largest)]
        answers = await asyncio.gather(*(self._embed(portion) for portion in portions))
        return np.asarray(np.concatenate(answers), np.float32)

    def paused(self) -> timedelta:
        """Returns how long it makes no sense to ask (`Models.paused`)."""
        return max(breaker.open_for() for breaker in self._breakers.values())

    async def _embed(self, chips: NDArray[np.uint8]) -> Floats:
        try:
            answer = await self._ask(EMBEDDER, {"chip": chips}, ("descriptor",))
        except _OutOfMemory:
            if len(chips) == 1:
                raise
            halves = np.array_split(chips, 2)
            return np.concatenate([await self._embed(half) for half in halves], dtype=np.float32)
        _check(EMBEDDER, (answer["descriptor"].shape,), ((len(chips), _DESCRIPTOR),))
        return answer["descriptor"]

    async def _ask(self, model: str, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]) -> dict[str, Floats]:
        """Asks once its turn has come, again where that helps, and never beyond the patience."""
        lane = await self._lane(model)
        _refuse_if_open(model, lane.breaker)
        try:
            async with lane.gate.place():
                answer = await self._try_again_and_again(model, lane, inputs, outputs)
        except GateFull:
            raise ModelBusy(model, "as many requests as it may have are in flight; go on later") from None
        lane.gate.grow()
        lane.breaker.succeed()
        return {name: _numbers(model, answer, name) for name in outputs}

    async def _try_again_and_again(
        self, model: str, lane: _Lane, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str]
    ) -> triton.InferResult:
        deadline = self._clock.monotonic() + self._patience.answer
        tensors, wanted = _tensors(inputs), [triton.InferRequestedOutput(name) for name in outputs]
        self._budget.earn()
        attempts = AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(self._patience.first_retry, max=1.0),
            retry=retry_if_exception(lambda error: self._worth_another(error, deadline)),
            sleep=self._clock.sleep,
            reraise=True,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    left = deadline - self._clock.monotonic() - _MARGIN_SECONDS
                    return await self._send(model, tensors, wanted, left)
        except _Failed as failed:
            raise _fault(model, lane, failed) from failed
        raise ModelUnavailable(model, "no attempt was made")

    async def _send(
        self, model: str, tensors: list[triton.InferInput], wanted: list[triton.InferRequestedOutput], left: float
    ) -> triton.InferResult:
        try:
            return await self._client.infer(model, tensors, outputs=wanted, client_timeout=max(left, 0.001))
        except InferenceServerException as error:
            raise _judged(error) from error

    def _worth_another(self, error: BaseException, deadline: float) -> bool:
        return (
            isinstance(error, _Failed)
            and error.verdict is Verdict.RETRY
            and self._clock.monotonic() + _MARGIN_SECONDS < deadline
            and self._budget.spend()
        )

    async def _lane(self, model: str) -> _Lane:
        """Returns the way to a model; how much it can carry is asked once."""
        if model not in self._lanes:
            _refuse_if_open(model, self._breakers[model])
            largest, instances = await self._capacity(model)
            gate = Gate(2 * largest * instances, self._patience.place)
            self._lanes.setdefault(model, _Lane(gate, self._breakers[model], largest))
        return self._lanes[model]

    async def _capacity(self, model: str) -> tuple[int, int]:
        """Returns the largest batch of a model and how many instances of it run."""
        breaker = self._breakers[model]
        try:
            response = await self._client.get_model_config(model, client_timeout=_CONFIG_SECONDS)
        except InferenceServerException as error:
            raise _fault(model, _Lane(Gate(1, 0), breaker, 1), _judged(error)) from error
        config = response.config
        instances = sum(max(group.count, 1) for group in config.instance_group) or 1
        return max(config.max_batch_size, 1), instances


class _OutOfMemory(ModelUnavailable):
    """The server has no memory for a batch of this size."""


def _tensors(inputs: Mapping[str, NDArray[Any]]) -> list[triton.InferInput]:
    tensors = []
    for name, array in inputs.items():
        tensor = triton.InferInput(name, list(array.shape), "UINT8" if array.dtype == np.uint8 else "FP32")
        tensors.append(tensor.set_data_from_numpy(array))
    return tensors


def _refuse_if_open(model: str, breaker: Breaker) -> None:
    if wait := breaker.open_for():
        raise ModelUnavailable(model, "the server failed again and again; it is left alone for a while", wait)


def _judged(error: InferenceServerException) -> _Failed:
    message = str(error.message())
    return _Failed(verdict(str(error.status()), message), message)


def _fault(model: str, lane: _Lane, failed: _Failed) -> ModelFault:
    """Turns a judged error into what the caller can act on, and remembers what it says of the server."""
    message = str(failed)
    match failed.verdict:
        case Verdict.REFUSED:
            return TensorRefused(model, message)
        case Verdict.MISSING:
            return ModelMissing(model, message)
        case Verdict.FAILED:
            return ModelAnswerBroken(model, message)
        case Verdict.OVERLOAD:
            lane.gate.shrink()
            return ModelBusy(model, message)
        case Verdict.MEMORY:
            lane.breaker.fail()
            return _OutOfMemory(model, message)
        case Verdict.RETRY | Verdict.BREAK:
            lane.breaker.fail()
            _log.warning("model_unavailable", model=model, verdict=failed.verdict)
            return ModelUnavailable(model, message, lane.breaker.open_for() or timedelta(seconds=0.5))


def _numbers(model: str, answer: triton.InferResult, name: str) -> Floats:
    """Returns an output as an array, if it is one: a broken back end sends empty outputs and calls that success."""
    output = answer.get_output(name)
    if output is None or output.datatype != "FP32":
        raise ModelAnswerBroken(model, f"output {name!r} is missing or of another type")
    try:
        array = answer.as_numpy(name)
    except ValueError as error:
        raise ModelAnswerBroken(model, f"output {name!r} has fewer numbers than its shape says") from error
    if array is None or array.size == 0 or not np.isfinite(array).all():
        raise ModelAnswerBroken(model, f"output {name!r} is empty or holds what is no number")
    return np.asarray(array, np.float32)


def _check(model: str, found: tuple[tuple[int, ...], ...], wanted: tuple[tuple[int, ...], ...]) -> None:
    if found != wanted:
        raise ModelAnswerBroken(model, f"its outputs have the shapes {found} in place of {wanted}")
