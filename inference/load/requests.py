"""Requests of a load test: those that prove a server well: golden inputs, or ones of the shapes that it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import grpc
import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2, service_pb2_grpc

from inference.client.probes import shipped_probe
from inference.client.tensors import ELEMENTS, Element, Facts, OutputSpec
from inference.client.tls import Tls
from inference.client.wire import TritonWire

_SECONDS = 10.0
_READY = "READY"
_MESSAGE_BYTES = 64 * 1024 * 1024
_CHANNEL = (
    ("grpc.max_send_message_length", _MESSAGE_BYTES),
    ("grpc.max_receive_message_length", _MESSAGE_BYTES),
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
)


@dataclass(frozen=True)
class LoadRequest:
    """One request for a model.

    Attributes:
        facts: What the server says of the model.
        inputs: Name -> array, the batch first where the model takes batches.
    """

    facts: Facts
    inputs: Mapping[str, NDArray[np.generic]]

    @property
    def model(self) -> str:
        """The model's name."""
        return self.facts.model

    @property
    def output_specs(self) -> tuple[OutputSpec, ...]:
        """All its outputs, of the types and shapes that the server promises."""
        return tuple(
            OutputSpec(name, tuple(None if side < 0 else side for side in tensor.shape), _element(tensor.element))
            for name, tensor in self.facts.outputs.items()
        )

    @property
    def answer_bytes(self) -> int:
        """How long the tensors of a whole answer are at least; a server in trouble may answer with empty ones."""
        batch = len(next(iter(self.inputs.values()))) if self.facts.largest_batch else 1
        sizes = (
            np.dtype(ELEMENTS[_element(tensor.element)]).itemsize * int(np.prod([abs(side) for side in tensor.shape]))
            for tensor in self.facts.outputs.values()
        )
        return batch * sum(sizes)

    def encoded(self) -> bytes:
        """Return the request as it goes over the wire: made once, however often it is sent."""
        request = service_pb2.ModelInferRequest(model_name=self.model)
        for name, array in self.inputs.items():
            element = self.facts.inputs[name].element
            request.inputs.add(name=name, datatype=element, shape=list(array.shape))
            request.raw_input_contents.append(array.tobytes())
        for name in self.facts.outputs:
            request.outputs.add(name=name)
        encoded: bytes = request.SerializeToString()
        return encoded


class NotFixed(Exception):
    """A model takes inputs of any size or of a type unknown here, so what a request costs cannot be said here."""


def opened(address: str, tls: Tls | None = None) -> grpc.aio.Channel:
    """Open a channel to a server; where its name stands for several, requests go to each in turn."""
    if tls is None:
        return grpc.aio.insecure_channel(address, options=_CHANNEL)
    return grpc.aio.secure_channel(address, tls.credentials(), options=_CHANNEL)


async def described(address: str, *, tls: Tls | None = None) -> Mapping[str, str]:
    """Ask a server for its name and version."""
    async with opened(address, tls) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        found = await stub.ServerMetadata(service_pb2.ServerMetadataRequest(), timeout=_SECONDS)
    return {"name": found.name, "version": found.version}


async def served_models(address: str) -> tuple[str, ...]:
    """Asks a server for the names of the models that are ready, in order.

    Args:
        address: `host:port` of its gRPC endpoint.
    """
    async with opened(address) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        index = await stub.RepositoryIndex(service_pb2.RepositoryIndexRequest(ready=True), timeout=_SECONDS)
    return tuple(sorted({model.name for model in index.models if model.state == _READY}))


async def load_request(address: str, model: str, *, batch: int = 1, tls: Tls | None = None) -> LoadRequest:
    """Make the request for a model as it is served now.

    Args:
        address: `host:port` of the server.
        model: its name.
        batch: examples in one request; one where the model takes no batches.
        tls: how the server is known; None to speak to it in clear.

    Raises:
        Failed: the server does not answer, or has no such model.
        NotFixed: the model takes inputs of any size.
    """
    wire = TritonWire(address, tls)
    try:
        facts = await wire.facts(model, seconds=_SECONDS)
    finally:
        await wire.close()
    if any(side < 0 or tensor.element not in ELEMENTS for tensor in facts.inputs.values() for side in tensor.shape):
        raise NotFixed(f"{model} takes inputs of any size, or of a type unknown here")
    copies = min(batch, facts.largest_batch) if facts.largest_batch else 1
    inputs = shipped_probe(facts).inputs
    return LoadRequest(facts, {name: np.repeat(array, copies, axis=0) for name, array in inputs.items()})


def _element(name: str) -> Element:
    return cast("Element", name)
