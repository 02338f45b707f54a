"""Wire: the KServe protocol over gRPC, as Triton speaks it, with errors judged and tensors as arrays."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import tritonclient.grpc.aio as triton
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from inference.client.error_classes import Failed, classify
from inference.client.errors import ModelAnswerBroken
from inference.client.renewal import Connections
from inference.client.spans import request_span
from inference.client.tensors import Facts, TensorFacts, Tensors
from inference.client.tls import Tls

IDENTITY_PARAMETER: Final = "identity"
"""Parameter of a model's configuration that says what findings name the model by."""

_MESSAGE_BYTES: Final = 64 * 1024 * 1024
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
    # All servers of a name can be new ones within a moment: their addresses are asked for again soon.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # Where a name stands for several servers, requests go to each in turn; connections alone would stay with one.
    ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
]


class Wire(Protocol):
    """The way to a server. Every method raises `Failed`, which says what its error means."""

    async def infer(self, model: str, inputs: Tensors, outputs: Sequence[str], *, seconds: float) -> Tensors:
        """Asks a model; returns the outputs that came, whatever they are."""

    async def facts(self, model: str, *, seconds: float) -> Facts:
        """Asks what the server serves under a name."""

    async def close(self) -> None:
        """End the connection."""


class TritonWire:
    """Implements `Wire`. One for each event loop; a call whose task is cancelled is cancelled on the server too."""

    def __init__(self, address: str, tls: Tls | None = None) -> None:
        """Prepare; nothing is sent before the first call.

        Args:
            address: `host:port` of the server's gRPC endpoint.
            tls: How the server is known; None to speak to it in clear.
        """
        self._connections = Connections(
            lambda credentials: triton.InferenceServerClient(address, creds=credentials, channel_args=_CHANNEL), tls
        )

    async def infer(self, model: str, inputs: Tensors, outputs: Sequence[str], *, seconds: float) -> Tensors:
        """Asks a model (`Wire.infer`)."""
        tensors = [_tensor(name, array) for name, array in inputs.items()]
        requested = [triton.InferRequestedOutput(name) for name in outputs]
        with request_span(model) as headers:
            try:
                async with self._connections.lent() as client:
                    result = await client.infer(
                        model, tensors, outputs=requested, client_timeout=seconds, headers=dict(headers)
                    )
            except InferenceServerException as error:
                raise _judged(error) from error
        found = {name: _array(model, result, name) for name in outputs}
        return {name: array for name, array in found.items() if array is not None}

    async def facts(self, model: str, *, seconds: float) -> Facts:
        """Asks what is served under a name (`Wire.facts`)."""
        try:
            async with self._connections.lent() as client:
                response = await client.get_model_config(model, client_timeout=seconds)
        except InferenceServerException as error:
            raise _judged(error) from error
        return _facts(model, response.config)

    async def close(self) -> None:
        """End the connection."""
        await self._connections.close()


def _judged(error: InferenceServerException) -> Failed:
    message = str(error.message())
    return Failed(classify(str(error.status()), message), message)


def _tensor(name: str, array: NDArray[np.generic]) -> triton.InferInput:
    tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    return tensor.set_data_from_numpy(array)


def _array(model: str, result: triton.InferResult, name: str) -> NDArray[np.generic] | None:
    try:
        array: NDArray[np.generic] | None = result.as_numpy(name)
    except (ValueError, TypeError) as error:
        raise ModelAnswerBroken(model, "has not as many numbers as its shape says", name) from error
    return array


def _facts(model: str, config: model_config_pb2.ModelConfig) -> Facts:
    parameters: Mapping[str, model_config_pb2.ModelParameter] = config.parameters
    return Facts(
        model=model,
        identity=parameters[IDENTITY_PARAMETER].string_value if IDENTITY_PARAMETER in parameters else "",
        largest_batch=config.max_batch_size,
        instances=sum(max(group.count, 1) * max(len(group.gpus), 1) for group in config.instance_group) or 1,
        inputs={tensor.name: _tensor_facts(tensor) for tensor in config.input},
        outputs={tensor.name: _tensor_facts(tensor) for tensor in config.output},
        parameters={key: value.string_value for key, value in parameters.items()},
    )


def _tensor_facts(tensor: model_config_pb2.ModelInput | model_config_pb2.ModelOutput) -> TensorFacts:
    element = model_config_pb2.DataType.Name(tensor.data_type).removeprefix("TYPE_")
    return TensorFacts(element, tuple(tensor.dims))
