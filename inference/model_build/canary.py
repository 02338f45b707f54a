"""Canary: golden inputs sent to a running server, the only readiness that a dead model process cannot fake."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import grpc
import numpy as np
import tritonclient.grpc.aio as triton
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from inference.model_build.errors import ModelError, ServerUnreachable
from inference.model_build.golden import Golden, golden
from inference.model_build.manifest import shipped_models
from inference.slots.golden_outputs import GOLDEN_FILE, recorded_golden

_SECONDS_FOR_ONE = 25.0
_SECONDS_FOR_A_KNOCK = 1.0
_ALIVE = {"StatusCode.INVALID_ARGUMENT", "StatusCode.DEADLINE_EXCEEDED"}


async def check_server(address: str, *, repository: Path | None = None, seconds: float = _SECONDS_FOR_ONE) -> None:
    """Send every served model its golden input, all at the same time.

    Args:
        address: `host:port` of the server's gRPC endpoint.
        repository: what it serves, as it was assembled; the shipped models when it is left out.
        seconds: the longest wait for one answer.

    Raises:
        ServerUnreachable: a model did not answer, or answered with an error.
        GoldenMismatch: a model answered wrongly.
    """
    async with triton.InferenceServerClient(address) as client:
        for pair in _pairs(_recorded(repository)):
            if not pair.manifest.network or await _is_shipped(client, pair, seconds):
                await _infer(client, pair, seconds)
            else:
                await _knock(client, pair)


async def _check_quickly(address: str, repository: Path | None) -> None:
    """As `check_server`, but no picture is painted, and whoever waits for one is not taken for a dead server's.

    All models are asked at the same time: a busy server takes seconds for each, and seconds in all.
    """

    async def check(pair: Golden) -> None:
        if pair.manifest.network:
            await _knock(client, pair)
        else:
            await _infer(client, pair, _SECONDS_FOR_ONE)

    async with triton.InferenceServerClient(address) as client:
        checks = [check(pair) for pair in _pairs(_recorded(repository))]
        for failure in await asyncio.gather(*checks, return_exceptions=True):
            if failure is not None:
                raise failure


def _recorded(repository: Path | None) -> frozenset[tuple[Path, int]]:
    """Finds the answers of operators' models in a repository, with the times at which they were written there."""
    found = () if repository is None else repository.glob(f"*/{GOLDEN_FILE}")
    return frozenset((path, path.stat().st_mtime_ns) for path in found)


@lru_cache(maxsize=1)
def _pairs(recorded: frozenset[tuple[Path, int]]) -> tuple[Golden, ...]:
    """Needed every few seconds for as long as a stack runs, so drawn once for each repository."""
    kept = {path.parent.name: path for path, _ in recorded}
    return tuple(
        recorded_golden(model.name, kept[model.name]) if model.name in kept else golden(model)
        for model in shipped_models()
    )


async def answers_rightly(address: str, *, repository: Path | None = None) -> bool:
    """Says whether every served model of a server gives its golden outputs, or, where one takes seconds, is alive."""
    try:
        await _check_quickly(address, repository)
    except ModelError:
        return False
    return True


async def _infer(client: triton.InferenceServerClient, pair: Golden, seconds: float) -> None:
    name = pair.manifest.name
    try:
        result = await client.infer(
            name,
            [_input(key, array) for key, array in pair.inputs.items()],
            outputs=[triton.InferRequestedOutput(output.name) for output in pair.outputs],
            client_timeout=seconds,
        )
    except (InferenceServerException, grpc.RpcError) as error:
        raise ServerUnreachable(f"{name} did not answer the canary: {error}", field=name) from error
    pair.check(_outputs(result, [output.name for output in pair.outputs]))


async def _is_shipped(client: triton.InferenceServerClient, pair: Golden, seconds: float) -> bool:
    """Says whether a model is the one that comes with the product, or an operator's in its slot."""
    name = pair.manifest.name
    try:
        response = await client.get_model_config(name, client_timeout=seconds)
    except (InferenceServerException, grpc.RpcError) as error:
        raise ServerUnreachable(f"{name} did not answer the canary: {error}", field=name) from error
    identity: str = response.config.parameters["identity"].string_value
    return identity in {"", pair.manifest.identity}


async def _knock(client: triton.InferenceServerClient, pair: Golden) -> None:
    """Send a model that takes seconds a blank input: it is alive if it refuses that, or is busy with others."""
    name = pair.manifest.name
    inputs = [_input(key, np.zeros_like(array)) for key, array in pair.inputs.items()]
    try:
        await client.infer(name, inputs, client_timeout=_SECONDS_FOR_A_KNOCK)
    except (InferenceServerException, grpc.RpcError) as error:
        if not isinstance(error, InferenceServerException) or error.status() not in _ALIVE:
            raise ServerUnreachable(f"{name} did not answer the canary: {error}", field=name) from error


def _input(name: str, array: NDArray[np.generic]) -> triton.InferInput:
    tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    tensor.set_data_from_numpy(array)
    return tensor


def _outputs(result: triton.InferResult, names: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    found = {name: result.as_numpy(name) for name in names}
    return {name: array for name, array in found.items() if array is not None}
