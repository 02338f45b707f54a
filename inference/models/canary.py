"""Asks a running server the golden questions: the only readiness that a dead model process cannot fake."""

from collections.abc import Sequence
from functools import cache

import grpc
import numpy as np
import tritonclient.grpc.aio as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from inference.models.errors import ModelError, ServerUnreachable
from inference.models.golden import Golden, golden
from inference.models.manifest import shipped_models

_SECONDS_FOR_ONE = 5.0


async def check_server(address: str, *, seconds: float = _SECONDS_FOR_ONE) -> None:
    """Asks every shipped model its golden question.

    Args:
        address: `host:port` of the server's gRPC endpoint.
        seconds: the longest wait for one answer.

    Raises:
        ServerUnreachable: a model did not answer, or answered with an error.
        GoldenMismatch: a model answered wrongly.
    """
    async with triton.InferenceServerClient(address) as client:
        for question in _questions():
            await _ask(client, question, seconds)


@cache
def _questions() -> tuple[Golden, ...]:
    """Asked every few seconds for as long as a stack runs, so drawn once."""
    return tuple(golden(each) for each in shipped_models())


async def answers_rightly(address: str) -> bool:
    """Says whether every shipped model on a server gives its golden answer."""
    try:
        await check_server(address)
    except ModelError:
        return False
    return True


async def _ask(client: triton.InferenceServerClient, pair: Golden, seconds: float) -> None:
    name = pair.manifest.name
    try:
        result = await client.infer(
            name,
            [_input(key, array) for key, array in pair.inputs.items()],
            outputs=[triton.InferRequestedOutput(output.name) for output in pair.manifest.outputs],
            client_timeout=seconds,
        )
    except (InferenceServerException, grpc.RpcError) as error:
        raise ServerUnreachable(f"{name} did not answer the canary: {error}", field=name) from error
    pair.check(_outputs(result, [output.name for output in pair.manifest.outputs]))


def _input(name: str, array: NDArray[np.generic]) -> triton.InferInput:
    tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array)
    return tensor


def _outputs(result: triton.InferResult, names: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    found = {name: result.as_numpy(name) for name in names}
    return {name: array for name, array in found.items() if array is not None}
