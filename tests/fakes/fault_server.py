"""An inference server that fails on demand: real gRPC, the KServe v2 protocol, the words of the real server.

It runs in the test's own event loop on a loopback port. Each model answers by a function of its inputs until its
script says otherwise; a script is a row of faults, one for each request.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TypeAlias

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc
from tritonclient.utils import np_to_triton_dtype, triton_to_np_dtype

from inference.model_build.golden import Golden, golden
from inference.model_build.manifest import Model, read_model
from tests.fakes.certificates import CertificateFiles
from tests.fakes.faults import QUEUE_FULL, UNKNOWN_MODEL, Fault, Hang, Refusal, Slow, Spoilt

Tensors = Mapping[str, NDArray[np.generic]]
Shape = tuple[int, ...]
Context: TypeAlias = "grpc.aio.ServicerContext[object, object]"


@dataclass
class FaultyModel:
    """A model of the server, what it does, and what was seen of it.

    Attributes:
        name: Its name.
        inputs: Name -> type and shape without the batch.
        outputs: The same.
        compute: Answers, with the batch first.
        largest_batch: Zero for a model that takes no batches.
        instances: How many it has, as its configuration says.
        identity: What its configuration says that it is; nothing if empty.
        script: Faults, one for each of the next requests.
        always: Fault of every request that no script is for.
        works: How many requests it can work on at a time; none for no limit.
        queue: How many may wait for that; the rest are refused.
        seconds: How long it works on each request.
        asked: Requests that came.
        answered: Those that were answered rightly.
        cancelled: Those that their caller gave up.
        most: Largest number that were there at a time.
        batches: Size of the batch of every request.
    """

    name: str
    inputs: Mapping[str, tuple[str, Shape]]
    outputs: Mapping[str, tuple[str, Shape]]
    compute: Callable[[Tensors], Tensors]
    largest_batch: int = 8
    instances: int = 1
    identity: str = ""
    script: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None
    works: int = 0
    queue: int = 1_000_000
    seconds: float = 0.0
    asked: int = 0
    answered: int = 0
    cancelled: int = 0
    present: int = 0
    most: int = 0
    batches: list[int] = field(default_factory=list)
    _places: asyncio.Semaphore | None = None

    def fail_next(self, *faults: Fault) -> None:
        """Add to the script."""
        self.script.extend(faults)

    def next_fault(self) -> Fault | None:
        return self.script.popleft() if self.script else self.always

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[bool]:
        """Take a request in; yield whether there was room, once it has a place and the work is done."""
        self.present += 1
        self.most = max(self.most, self.present)
        try:
            if not self.works:
                await asyncio.sleep(self.seconds)
                yield True
            elif self.present > self.works + self.queue:
                yield False
            else:
                self._places = self._places or asyncio.Semaphore(self.works)
                async with self._places:
                    await asyncio.sleep(self.seconds)
                yield True
        finally:
            self.present -= 1

    def config(self) -> model_config_pb2.ModelConfig:
        config = model_config_pb2.ModelConfig(name=self.name, max_batch_size=self.largest_batch)
        config.instance_group.add(count=self.instances)
        for name, (element, shape) in self.inputs.items():
            config.input.add(name=name, data_type=_data_type(element), dims=shape)
        for name, (element, shape) in self.outputs.items():
            config.output.add(name=name, data_type=_data_type(element), dims=shape)
        if self.identity:
            config.parameters["identity"].string_value = self.identity
        return config


def doubler(name: str = "doubler", **settings: object) -> FaultyModel:
    """Make a model that doubles four numbers."""
    four = {"x": ("FP32", (4,))}
    model = FaultyModel(name, four, {"y": ("FP32", (4,))}, lambda inputs: {"y": _twice(inputs["x"])})
    return replace(model, **settings)  # type: ignore[arg-type]


def shipped(model: Model, **settings: object) -> FaultyModel:
    """Make a model with the signature of a shipped one: it knows its golden outputs, and nothing else."""
    pair, manifest = _known(model.folder), model.manifest

    def compute(inputs: Tensors) -> Tensors:
        count = len(next(iter(inputs.values())))
        answers: dict[str, NDArray[np.generic]] = {
            output.name: np.zeros((count, *output.shape), triton_to_np_dtype(output.element))
            for output in manifest.outputs
        }
        if count == 1 and all(np.array_equal(inputs[name], array) for name, array in pair.inputs.items()):
            for name, known in pair.answers.items():
                answers[name][tuple(slice(length) for length in known.shape)] = known
        return answers

    faulty = FaultyModel(
        manifest.name,
        {tensor.name: (tensor.element, tensor.shape) for tensor in manifest.inputs},
        {tensor.name: (tensor.element, tensor.shape) for tensor in manifest.outputs},
        compute,
        largest_batch=manifest.batching.largest,
        identity=manifest.identity,
    )
    return replace(faulty, **settings)  # type: ignore[arg-type]


class FaultServer(service_pb2_grpc.GRPCInferenceServiceServicer):  # type: ignore[misc]
    """The server. `port` zero is any free one; it keeps to its port when it is started again."""

    def __init__(
        self,
        models: Iterable[FaultyModel],
        *,
        port: int = 0,
        longest_connection: float | None = None,
        tls: CertificateFiles | None = None,
    ) -> None:
        self.models = {model.name: model for model in models}
        self._port = port
        self._tls = tls
        self._options: list[tuple[str, int]] = [("grpc.so_reuseport", 0)]
        if longest_connection is not None:
            # After this time it says GOAWAY, as a proxy or a rolling update does, and lets what is under way end.
            self._options.append(("grpc.max_connection_age_ms", int(longest_connection * 1000)))
        self._server: grpc.aio.Server | None = None
        self.draining: Refusal | None = None
        """While set, every request is refused with it."""
        self.shown = ""
        """The certificate of the last who asked a model."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._server = grpc.aio.server(options=self._options)
        service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(self, self._server)
        self._port = self._listen(self._server)
        await self._server.start()

    def _listen(self, server: grpc.aio.Server) -> int:
        if self._tls is None:
            return int(server.add_insecure_port(self.address))
        pair = (self._tls.key.read_bytes(), self._tls.certificate.read_bytes())
        credentials = grpc.ssl_server_credentials([pair], self._tls.ca.read_bytes(), require_client_auth=True)
        return int(server.add_secure_port(self.address, credentials))

    async def stop(self, grace: float = 0.0) -> None:
        """Close every connection; what is under way is cut off after the grace."""
        if self._server is not None:
            await self._server.stop(grace)
            self._server = None

    async def ServerLive(  # noqa: N802
        self, request: service_pb2.ServerLiveRequest, context: Context
    ) -> service_pb2.ServerLiveResponse:
        return service_pb2.ServerLiveResponse(live=True)

    async def ModelConfig(  # noqa: N802
        self, request: service_pb2.ModelConfigRequest, context: Context
    ) -> service_pb2.ModelConfigResponse:
        model = await self._model(request.name, context)
        return service_pb2.ModelConfigResponse(config=model.config())

    async def ModelInfer(  # noqa: N802
        self, request: service_pb2.ModelInferRequest, context: Context
    ) -> service_pb2.ModelInferResponse:
        model = await self._model(request.model_name, context)
        self.shown = next(iter(context.auth_context().get("x509_pem_cert", [b""]))).decode()
        model.asked += 1
        inputs = _inputs(request)
        model.batches.append(len(next(iter(inputs.values()))))
        try:
            async with model.at_work() as room:
                fault = model.next_fault() if room else QUEUE_FULL
                return await self._respond(model, inputs, request, fault, context)
        except asyncio.CancelledError:
            model.cancelled += 1
            raise

    async def _respond(
        self,
        model: FaultyModel,
        inputs: Tensors,
        request: service_pb2.ModelInferRequest,
        fault: Fault | None,
        context: Context,
    ) -> service_pb2.ModelInferResponse:
        match fault:
            case Refusal():
                await asyncio.sleep(fault.seconds)
                await _refuse(fault, model.name, context)
            case Hang():
                await asyncio.Event().wait()
            case Slow():
                await asyncio.sleep(fault.seconds)
        response = _response(model, model.compute(inputs), [output.name for output in request.outputs])
        if isinstance(fault, Spoilt):
            fault.spoil(response)
        else:
            model.answered += 1
        return response

    async def _model(self, name: str, context: Context) -> FaultyModel:
        if self.draining is not None:
            await _refuse(self.draining, name, context)
        if name not in self.models:
            await _refuse(UNKNOWN_MODEL, name, context)
        return self.models[name]


@asynccontextmanager
async def fault_server(
    *models: FaultyModel, longest_connection: float | None = None, tls: CertificateFiles | None = None
) -> AsyncIterator[FaultServer]:
    """Run a server for the time of the block; under TLS it takes callers of its own authority alone."""
    server = FaultServer(models, longest_connection=longest_connection, tls=tls)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@cache
def _known(folder: Path) -> Golden:
    return golden(read_model(folder))


def _twice(array: NDArray[np.generic]) -> NDArray[np.float32]:
    return np.asarray(array, np.float32) * 2


def _data_type(element: str) -> int:
    return int(model_config_pb2.DataType.Value(f"TYPE_{element}"))


async def _refuse(refusal: Refusal, model: str, context: Context) -> None:
    await context.abort(refusal.code, refusal.words.format(model=model))


def _inputs(request: service_pb2.ModelInferRequest) -> Tensors:
    return {
        tensor.name: np.frombuffer(raw, triton_to_np_dtype(tensor.datatype)).reshape(tuple(tensor.shape))
        for tensor, raw in zip(request.inputs, request.raw_input_contents, strict=True)
    }


def _response(model: FaultyModel, arrays: Tensors, names: Sequence[str]) -> service_pb2.ModelInferResponse:
    response = service_pb2.ModelInferResponse(model_name=model.name, model_version="1")
    for name in names or list(arrays):
        array = arrays[name]
        response.outputs.add(name=name, datatype=np_to_triton_dtype(array.dtype), shape=array.shape)
        response.raw_output_contents.append(array.tobytes())
    return response
