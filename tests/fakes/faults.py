"""What can go wrong on an inference server, in the words of the real one."""

from collections.abc import Callable
from dataclasses import dataclass

import grpc
import numpy as np
from tritonclient.grpc import service_pb2


@dataclass(frozen=True)
class Refusal:
    """An error, with the words that the real server has for it; `{model}` stands for the model's name."""

    code: grpc.StatusCode
    words: str
    seconds: float = 0.0


@dataclass(frozen=True)
class Spoilt:
    """An answer that is sent as a success and cannot be used."""

    spoil: Callable[[service_pb2.ModelInferResponse], None]


@dataclass(frozen=True)
class Slow:
    """The right answer, late."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """No answer for as long as the caller waits."""


Fault = Refusal | Spoilt | Slow | Hang

_NOT_PROCESSED = "Failed to process the request(s) for model instance '{model}_0_0', message: "

QUEUE_FULL = Refusal(grpc.StatusCode.UNAVAILABLE, "[request id: <id_unknown>] Exceeds maximum queue size")
QUEUE_TIMEOUT = Refusal(grpc.StatusCode.UNAVAILABLE, "[request id: <id_unknown>] Request timeout expired")
DRAINING = Refusal(grpc.StatusCode.NOT_FOUND, "Request for unknown model: '{model}' has no available versions")
DRAINING_NEWER = Refusal(grpc.StatusCode.CANCELLED, "Request cancelled: the server is shutting down")
DRAINING_NEWEST = Refusal(
    grpc.StatusCode.UNAVAILABLE,
    "[request id: <id_unknown>] Server is stopping, scheduler for model has stopped accepting new inference requests",
)
UNKNOWN_MODEL = Refusal(grpc.StatusCode.NOT_FOUND, "Request for unknown model: '{model}' is not found")
# A request to a dead process fails after a second, on the real server.
DEAD_PROCESS = Refusal(
    grpc.StatusCode.INTERNAL, _NOT_PROCESSED + "Stub process '{model}_0_0' is not healthy.", seconds=0.05
)
BAD_TENSOR = Refusal(
    grpc.StatusCode.INVALID_ARGUMENT,
    "[request id: <id_unknown>] unexpected shape for input 'x' for model '{model}'. Expected [-1,4], got [1,3]",
)
OUT_OF_MEMORY = Refusal(grpc.StatusCode.INTERNAL, _NOT_PROCESSED + "CUDA out of memory. Tried to allocate 2.00 GiB")
MODEL_RAISED = Refusal(grpc.StatusCode.INTERNAL, _NOT_PROCESSED + "Fail: [ONNXRuntimeError] : 1 : FAIL")
UNHEARD_OF = Refusal(grpc.StatusCode.DATA_LOSS, "something that was never seen before")


def _first_number(value: float) -> Callable[[service_pb2.ModelInferResponse], None]:
    def spoil(response: service_pb2.ModelInferResponse) -> None:
        numbers = np.frombuffer(response.raw_output_contents[0], np.float32).copy()
        numbers[0] = value
        response.raw_output_contents[0] = numbers.tobytes()

    return spoil


def _halve(response: service_pb2.ModelInferResponse) -> None:
    whole = response.raw_output_contents[0]
    response.raw_output_contents[0] = whole[: len(whole) // 8 * 4]


def _empty(response: service_pb2.ModelInferResponse) -> None:
    response.raw_output_contents[0] = b""


def _shapeless(response: service_pb2.ModelInferResponse) -> None:
    response.raw_output_contents[0] = b""
    response.outputs[0].shape[:] = [0]


def _lose(response: service_pb2.ModelInferResponse) -> None:
    del response.outputs[0], response.raw_output_contents[0]


def _reshape(response: service_pb2.ModelInferResponse) -> None:
    response.outputs[0].shape[:] = [1, *response.outputs[0].shape]


def _retype(response: service_pb2.ModelInferResponse) -> None:
    response.outputs[0].datatype = "INT32"


NOT_A_NUMBER = Spoilt(_first_number(float("nan")))
INFINITE = Spoilt(_first_number(float("-inf")))
SHORT = Spoilt(_halve)
EMPTY = Spoilt(_empty)
SHAPELESS = Spoilt(_shapeless)
LOST_OUTPUT = Spoilt(_lose)
OTHER_SHAPE = Spoilt(_reshape)
OTHER_TYPE = Spoilt(_retype)
SPOILT = (NOT_A_NUMBER, INFINITE, SHORT, EMPTY, SHAPELESS, LOST_OUTPUT, OTHER_SHAPE, OTHER_TYPE)
