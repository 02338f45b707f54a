"""Inference client: tensors for a model become usable outputs, or an error that says what to do next."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeVar

from opentelemetry.metrics import Meter

from inference.client.clock import Clock
from inference.client.deadlines import TimeLeft, earliest, end_of_work, no_end
from inference.client.error_classes import Failed
from inference.client.errors import ModelAnswerBroken, ModelBusy, ModelFault, ModelMissing, OutOfMemory
from inference.client.faults import fault_of
from inference.client.limit import GateFull
from inference.client.metrics import Metrics
from inference.client.model_channels import SLOW_MODELS, ModelChannel, ModelChannels
from inference.client.prober import Prober
from inference.client.probes import Probes, shipped_probe
from inference.client.retries import CallPolicy, attempt
from inference.client.tensors import (
    Facts,
    InferenceResult,
    OutputSpec,
    Request,
    Tensors,
    check_outputs,
    join,
    split_requests,
)
from inference.client.tls import Tls, refuse_clear
from inference.client.wire import TritonWire, Wire
from inference.model_build.errors import ManifestInvalid
from inference.model_build.manifest import shipped_model

_FACTS_SECONDS: Final = 5.0
_POLICY: Final = CallPolicy()

T = TypeVar("T")


class InferenceClient:
    """Client of an inference server. One for each event loop; close it by leaving its context."""

    def __init__(
        self,
        address: str,
        clock: Clock,
        *,
        policy: CallPolicy = _POLICY,
        exceptions: Mapping[str, CallPolicy] = SLOW_MODELS,
        tls: Tls | None = None,
        wire: Wire | None = None,
        probes: Probes = shipped_probe,
        time_left: TimeLeft = no_end,
        meter: Meter | None = None,
    ) -> None:
        """Prepare; nothing is sent before the first call.

        Args:
            address: `host:port` of the server's gRPC endpoint.
            clock: The process's clock.
            policy: How models are called.
            exceptions: Model -> how this one is called.
            tls: How the server is known; may be left out on loopback alone.
            wire: Takes the place of the connection to `address`.
            probes: What is sent to a server that has failed, before anything else.
            time_left: Says how many seconds the caller has left, such as those of the RPC that it serves.
            meter: Measures; by default that of the process.

        Raises:
            SentInClear: the server is not on loopback, and there is no `tls`.
        """
        if wire is None:
            refuse_clear(address, tls)
        self._wire = wire or TritonWire(address, tls)
        self._clock = clock
        self._channels = ModelChannels(clock, policy, exceptions)
        self._prober = Prober(self._wire, probes)
        self._time_left = time_left
        self._metrics = Metrics(self._channels, meter)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._prober.end(self._channels)
        await self._wire.close()

    async def infer(
        self,
        model: str,
        inputs: Tensors,
        outputs: Sequence[OutputSpec],
        *,
        deadline: float | None = None,
        response: float | None = None,
    ) -> InferenceResult:
        """Run a model on tensors, in as few requests as it takes, again where that helps.

        Args:
            model: Its name.
            inputs: Name -> array of UINT8, INT32, INT64, FP16 or FP32; where the model takes batches, any number of
                examples.
            outputs: Those to return, and what makes them usable.
            deadline: When the answer has to be there at the latest, on the clock's `monotonic`. Whatever is said here,
                what `deadline_scope` and `time_left` say holds too.
            response: Longest wait for the outputs once the turn has come, in seconds; that of the policy by default.

        Raises:
            ModelUnavailable: it does not answer now; `ModelBusy` and `OutOfMemory` are kinds of it.
            ModelAnswerBroken: the answer cannot be used.
            TensorRefused: the model does not take these tensors.
            ModelMissing: the server has no such model.
        """
        channel = self._channels[model]
        with self._metrics.call(model):
            facts = await self._known(channel, deadline)
            requests = split_requests(Request(inputs, tuple(outputs), (), deadline, response), facts.largest_batch)
            return InferenceResult(join(await _together([self._halving(channel, request) for request in requests])))

    async def identity(self, model: str) -> str:
        """Return what findings name a model by, as it is served now; a server that does not say serves what is shipped.

        Raises:
            ModelFault: as of `infer`.
        """
        facts = await self.facts(model)
        try:
            return facts.identity or shipped_model(model).manifest.identity
        except ManifestInvalid as error:
            raise ModelMissing(model, "the server does not say what it is, and it is none of ours") from error

    async def facts(self, model: str) -> Facts:
        """Fetch what the server serves under a name now: its tensors, its largest batch, its identity.

        Raises:
            ModelFault: as of `infer`.
        """
        channel = self._channels[model]
        await self._prober.pass_breaker(channel)
        return await self._learn(channel, None)

    def paused(self, models: Iterable[str]) -> timedelta:
        """Return how long it makes no sense to call one of these models; zero when it does."""
        return max((self._channels[model].breaker.open_for() for model in models), default=timedelta())

    async def _known(self, channel: ModelChannel, deadline: float | None) -> Facts:
        """Return what the server serves; fetched once, and again when it may be another server."""
        await self._prober.pass_breaker(channel)
        if channel.facts is not None:
            return channel.facts
        async with channel.learning:
            await self._prober.pass_breaker(channel)
            return channel.facts or await self._learn(channel, deadline)

    async def _learn(self, channel: ModelChannel, deadline: float | None) -> Facts:
        async def fetch(seconds: float) -> Facts:
            return await self._wire.facts(channel.model, seconds=seconds)

        return channel.learn(
            await self._attempt(channel, fetch, min(_FACTS_SECONDS, channel.policy.response), deadline)
        )

    async def _halving(self, channel: ModelChannel, request: Request) -> Tensors:
        """Send one batch; its halves, once, if the server has no memory for the whole."""
        try:
            return await self._in_turn(channel, request)
        except OutOfMemory:
            halves = request.halves()
            if not halves:
                channel.breaker.fail()
                raise
        try:
            return join([await self._in_turn(channel, half) for half in halves])
        except OutOfMemory:
            channel.breaker.fail()
            raise

    async def _in_turn(self, channel: ModelChannel, request: Request) -> Tensors:
        """Send once its turn has come."""
        began = self._clock.monotonic()
        try:
            async with channel.gate.slot(self._until(channel.policy.queue, request.deadline) - began):
                self._metrics.admitted(channel.model, self._clock.monotonic() - began)
                await self._prober.pass_breaker(channel)
                return await self._send(channel, request)
        except GateFull as full:
            raise ModelBusy(channel.model, str(full), full.retry_after) from None

    async def _send(self, channel: ModelChannel, request: Request) -> Tensors:
        async def send(seconds: float) -> Tensors:
            arrays = await self._wire.infer(channel.model, request.inputs, request.outputs, seconds=seconds)
            check_outputs(channel.model, arrays, request.specs, request.batch)
            return arrays

        sent = self._clock.monotonic()
        arrays = await self._attempt(channel, send, request.response or channel.policy.response, request.deadline)
        seconds = self._clock.monotonic() - sent
        self._metrics.answered(channel.model, seconds, request.batch[0] if request.batch else 1)
        channel.gate.limit.answered(seconds)
        channel.breaker.succeed()
        return arrays

    async def _attempt(
        self, channel: ModelChannel, call: Callable[[float], Awaitable[T]], seconds: float, deadline: float | None
    ) -> T:
        sent, until = self._clock.monotonic(), self._until(seconds, deadline)
        try:
            return await attempt(
                call,
                deadline=until,
                first_retry=channel.policy.first_retry,
                budget=channel.budget,
                clock=self._clock,
                retried=partial(self._metrics.retried, channel.model),
            )
        except Failed as failed:
            hurried = until < sent + seconds
            raise fault_of(channel, failed, sent=sent, now=self._clock.monotonic(), hurried=hurried) from failed
        except ModelAnswerBroken:
            channel.breaker.fail()
            raise

    def _until(self, seconds: float, deadline: float | None) -> float:
        now, left = self._clock.monotonic(), self._time_left()
        return earliest(now + seconds, deadline, end_of_work(), None if left is None else now + left)


async def _together(calls: Sequence[Coroutine[None, None, T]]) -> list[T]:
    """Wait for all; the first fault ends the others, whose outputs are of no use then."""
    if len(calls) == 1:
        return [await calls[0]]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except* ModelFault as faults:
        raise _first(faults) from None
    return [task.result() for task in tasks]


def _first(faults: BaseExceptionGroup[ModelFault]) -> ModelFault:
    fault = faults.exceptions[0]
    return _first(fault) if isinstance(fault, BaseExceptionGroup) else fault
