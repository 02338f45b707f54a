"""Canary: golden inputs sent to a running server, the only readiness that a dead model process cannot fake."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from inference.client.error_classes import ErrorClass, Failed
from inference.client.errors import ModelAnswerBroken
from inference.client.wire import TritonWire
from inference.model_build.errors import ModelError, ServerUnreachable
from inference.model_build.golden import Golden, golden
from inference.model_build.manifest import shipped_models
from inference.slots.golden_outputs import GOLDEN_FILE, recorded_golden

_SECONDS_FOR_ONE = 25.0
_SECONDS_FOR_A_KNOCK = 1.0
_ALIVE = {ErrorClass.REFUSED, ErrorClass.SLOW}


async def check_server(address: str, *, repository: Path | None = None, seconds: float = _SECONDS_FOR_ONE) -> None:
    """Send every served model its golden input, one after the other.

    Args:
        address: `host:port` of the server's gRPC endpoint.
        repository: what it serves, as it was assembled; the shipped models when it is left out.
        seconds: the longest wait for one model.

    Raises:
        ServerUnreachable: a model did not respond, or responded with an error.
        GoldenMismatch: a model gave wrong outputs.
    """
    async with _connected(address) as wire:
        for pair in _pairs(_recorded(repository)):
            if not pair.manifest.network or await _is_shipped(wire, pair, seconds):
                await _infer(wire, pair, seconds)
            else:
                await _knock(wire, pair)


async def answers_rightly(address: str, *, repository: Path | None = None) -> bool:
    """Return whether every served model gives its golden outputs, or, where one takes seconds, is alive.

    No picture is painted, and a restyler at work is not taken for dead. All models are probed at the same time: a busy
    server takes seconds for each, and seconds in all.
    """
    async with _connected(address) as wire:
        pairs = _pairs(_recorded(repository))
        checks = [_knock(wire, pair) if pair.manifest.network else _infer(wire, pair) for pair in pairs]
        failures = [each for each in await asyncio.gather(*checks, return_exceptions=True) if each is not None]
    for failure in failures:
        if not isinstance(failure, ModelError):
            raise failure
    return not failures


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[TritonWire]:
    wire = TritonWire(address)
    try:
        yield wire
    finally:
        await wire.close()


def _recorded(repository: Path | None) -> frozenset[tuple[Path, int]]:
    """Return the golden outputs of operators' models in a repository, with the times at which they were written."""
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


async def _infer(wire: TritonWire, pair: Golden, seconds: float = _SECONDS_FOR_ONE) -> None:
    try:
        outputs = await wire.infer(
            pair.manifest.name, pair.inputs, [output.name for output in pair.outputs], seconds=seconds
        )
    except (Failed, ModelAnswerBroken) as error:
        raise _unreachable(pair, error) from error
    pair.check(outputs)


async def _is_shipped(wire: TritonWire, pair: Golden, seconds: float) -> bool:
    """Return whether a model is the one that comes with the product, rather than an operator's in its slot."""
    try:
        facts = await wire.facts(pair.manifest.name, seconds=seconds)
    except Failed as error:
        raise _unreachable(pair, error) from error
    return facts.identity in {"", pair.manifest.identity}


async def _knock(wire: TritonWire, pair: Golden) -> None:
    """Send a model that takes seconds a blank input: it is alive if it refuses that, or is busy with others."""
    inputs = {name: np.zeros_like(array) for name, array in pair.inputs.items()}
    try:
        await wire.infer(pair.manifest.name, inputs, (), seconds=_SECONDS_FOR_A_KNOCK)
    except Failed as error:
        if error.error_class not in _ALIVE:
            raise _unreachable(pair, error) from error


def _unreachable(pair: Golden, error: Exception) -> ServerUnreachable:
    name = pair.manifest.name
    return ServerUnreachable(f"{name} did not answer the canary: {error}", field=name)
