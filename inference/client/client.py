"""The client: one question for a model becomes a usable answer, or an error that says what to do next."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

from opentelemetry.metrics import Meter

from inference.client.clock import Clock
from inference.client.deadlines import TimeLeft, earliest, end_of_work, no_end
from inference.client.errors import ModelAnswerBroken, ModelBusy, ModelFault, ModelMissing, OutOfMemory
from inference.client.faults import fault_of
from inference.client.lanes import SLOW_MODELS, Lane, Lanes
from inference.client.limit import GateFull
from inference.client.metrics import Metrics
from inference.client.probing import Prober
from inference.client.questions import Questions, shipped_questions
from inference.client.retries import Patience, attempt
from inference.client.tensors import Answer, Facts, Request, Tensors, Wanted, check_usable, join, requests_of
from inference.client.verdicts import Failed
from inference.client.wire import TritonWire, Wire
from inference.models.errors import ManifestInvalid
from inference.models.manifest import shipped_model

_FACTS_SECONDS: Final = 5.0
_PATIENCE: Final = Patience()

T = TypeVar("T")


class InferenceClient:
    """Asks models. One for each event loop; close it by leaving its context."""

    def __init__(
        self,
        address: str,
        clock: Clock,
        *,
        patience: Patience = _PATIENCE,
        exceptions: Mapping[str, Patience] = SLOW_MODELS,
        wire: Wire | None = None,
        questions: Questions = shipped_questions,
        time_left: TimeLeft = no_end,
        meter: Meter | None = None,
    ) -> None:
        """Prepares; nothing is sent before the first question.

        Args:
            address: `host:port` of the server's gRPC endpoint.
            clock: The process's clock.
            patience: How long is waited.
            exceptions: Model -> how long is waited for this one.
            wire: Takes the place of the connection to `address`.
            questions: What a server that has failed is asked before anything else.
            time_left: Says how many seconds a question's caller has left, such as those of the RPC that it serves.
            meter: Measures; by default that of the process.
        """
        self._wire = wire or TritonWire(address)
        self._clock = clock
        self._lanes = Lanes(clock, patience, exceptions)
        self._prober = Prober(self._wire, questions)
        self._time_left = time_left
        self._metrics = Metrics(self._lanes, meter)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._prober.end(self._lanes)
        await self._wire.close()

    async def ask(
        self, model: str, inputs: Tensors, wanted: Sequence[Wanted], *, deadline: float | None = None
    ) -> Answer:
        """Asks a model, in as few requests as it takes, again where that helps.

        Args:
            model: Its name.
            inputs: Name -> array of UINT8, INT32, INT64, FP16 or FP32; where the model takes batches, any number of
                examples.
            wanted: The outputs, and what makes them usable.
            deadline: When the answer has to be there at the latest, on the clock's `monotonic`. Whatever is said here,
                what `answers_by` and `time_left` say holds too.

        Raises:
            ModelUnavailable: it does not answer now; `ModelBusy` and `OutOfMemory` are kinds of it.
            ModelAnswerBroken: the answer cannot be used.
            TensorRefused: the model does not take these tensors.
            ModelMissing: the server has no such model.
        """
        lane = self._lanes[model]
        with self._metrics.question(model):
            facts = await self._known(lane, deadline)
            requests = requests_of(inputs, tuple(wanted), facts.largest_batch, deadline)
            return Answer(join(await _together([self._halving(lane, request) for request in requests])))

    async def identity(self, model: str) -> str:
        """Asks what findings name a model by, as it is served now; a server that does not say serves what is shipped.

        Raises:
            ModelFault: as of `ask`.
        """
        facts = await self.facts(model)
        try:
            return facts.identity or shipped_model(model).manifest.identity
        except ManifestInvalid as error:
            raise ModelMissing(model, "the server does not say what it is, and it is none of ours") from error

    async def facts(self, model: str) -> Facts:
        """Asks what the server serves under a name now: its tensors, its largest batch, its identity.

        Raises:
            ModelFault: as of `ask`.
        """
        lane = self._lanes[model]
        await self._prober.pass_breaker(lane)
        return await self._learn(lane, None)

    def paused(self, models: Iterable[str]) -> timedelta:
        """Returns how long it makes no sense to ask one of these models; zero when it does."""
        return max((self._lanes[model].breaker.open_for() for model in models), default=timedelta())

    async def _known(self, lane: Lane, deadline: float | None) -> Facts:
        """Returns what the server serves; asked once, and again when it may be another server."""
        await self._prober.pass_breaker(lane)
        if lane.facts is not None:
            return lane.facts
        async with lane.asking:
            await self._prober.pass_breaker(lane)
            return lane.facts or await self._learn(lane, deadline)

    async def _learn(self, lane: Lane, deadline: float | None) -> Facts:
        async def ask(seconds: float) -> Facts:
            return await self._wire.facts(lane.model, seconds=seconds)

        return lane.learn(await self._attempt(lane, ask, min(_FACTS_SECONDS, lane.patience.answer), deadline))

    async def _halving(self, lane: Lane, request: Request) -> Tensors:
        """Asks with one batch; with its halves, once, if the server has no memory for the whole."""
        try:
            return await self._in_turn(lane, request)
        except OutOfMemory:
            halves = request.halves()
            if not halves:
                lane.breaker.fail()
                raise
        try:
            return join([await self._in_turn(lane, half) for half in halves])
        except OutOfMemory:
            lane.breaker.fail()
            raise

    async def _in_turn(self, lane: Lane, request: Request) -> Tensors:
        """Asks once its turn has come."""
        began = self._clock.monotonic()
        try:
            async with lane.gate.place(self._until(lane.patience.place, request.deadline) - began):
                self._metrics.admitted(lane.model, self._clock.monotonic() - began)
                await self._prober.pass_breaker(lane)
                return await self._answer(lane, request)
        except GateFull as full:
            message = "as many requests as it may have are in flight; go on later"
            raise ModelBusy(lane.model, message, full.retry_after) from None

    async def _answer(self, lane: Lane, request: Request) -> Tensors:
        async def ask(seconds: float) -> Tensors:
            arrays = await self._wire.infer(lane.model, request.inputs, request.outputs, seconds=seconds)
            check_usable(lane.model, arrays, request.wanted, request.batch)
            return arrays

        sent = self._clock.monotonic()
        arrays = await self._attempt(lane, ask, lane.patience.answer, request.deadline)
        seconds = self._clock.monotonic() - sent
        self._metrics.answered(lane.model, seconds, request.batch[0] if request.batch else 1)
        lane.gate.limit.answered(seconds)
        lane.breaker.succeed()
        return arrays

    async def _attempt(
        self, lane: Lane, call: Callable[[float], Awaitable[T]], seconds: float, deadline: float | None
    ) -> T:
        sent, until = self._clock.monotonic(), self._until(seconds, deadline)
        try:
            return await attempt(
                call,
                deadline=until,
                first_retry=lane.patience.first_retry,
                budget=lane.budget,
                clock=self._clock,
                retried=partial(self._metrics.retried, lane.model),
            )
        except Failed as failed:
            hurried = until < sent + seconds
            raise fault_of(lane, failed, sent=sent, now=self._clock.monotonic(), hurried=hurried) from failed
        except ModelAnswerBroken:
            lane.breaker.fail()
            raise

    def _until(self, seconds: float, deadline: float | None) -> float:
        now, left = self._clock.monotonic(), self._time_left()
        return earliest(now + seconds, deadline, end_of_work(), None if left is None else now + left)


async def _together(questions: Sequence[Coroutine[None, None, T]]) -> list[T]:
    """Waits for all; the first fault ends the others, which nobody wants any more."""
    if len(questions) == 1:
        return [await questions[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(question) for question in questions]
    except* ModelFault as faults:
        raise _first(faults) from None
    return [task.result() for task in tasks]


def _first(faults: BaseExceptionGroup[ModelFault]) -> ModelFault:
    fault = faults.exceptions[0]
    return _first(fault) if isinstance(fault, BaseExceptionGroup) else fault
