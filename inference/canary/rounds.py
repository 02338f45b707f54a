"""Rounds of the canary: every model is asked once, and what came of it is a finding."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from inference.client.error_classes import ErrorClass, Failed
from inference.client.errors import ModelAnswerBroken
from inference.client.tensors import Facts
from inference.client.tls import Tls
from inference.client.wire import TritonWire
from inference.engines.proof import as_served
from inference.model_build.errors import ModelError, ServerUnreachable
from inference.model_build.golden import Golden, golden
from inference.model_build.manifest import shipped_models
from inference.slots.recorded import GOLDEN_FILE, recorded_golden

SECONDS_FOR_ONE: Final = 25.0
_SECONDS_FOR_A_KNOCK: Final = 3.0  # a dead model process takes one to be told of
_ALIVE: Final = {ErrorClass.REFUSED, ErrorClass.SLOW}


class Outcome(StrEnum):
    """What a model made of its known input."""

    RIGHT = "right"
    ALIVE = "alive"
    """It answers, but was not asked for its known answer: that takes seconds, or is not known here."""
    WRONG = "wrong"


@dataclass(frozen=True)
class Place:
    """A server, and what is known of it.

    Attributes:
        address: `host:port` of its gRPC endpoint.
        tls: how it is known; None to speak to it in clear.
        repository: what it serves, as it was assembled: operators' models are known by the answers kept there.
    """

    address: str
    tls: Tls | None = None
    repository: Path | None = None


@dataclass(frozen=True)
class Finding:
    """What came of asking one model.

    Attributes:
        model: as it is served.
        outcome: what it made of its known input.
        reason: of the failure, a stable name for programs; empty when there is none.
        message: the same for people.
        seconds: that it took.
    """

    model: str
    outcome: Outcome
    reason: str
    message: str
    seconds: float


async def examine(place: Place, *, paint: bool = False, seconds: float = SECONDS_FOR_ONE) -> tuple[Finding, ...]:
    """Ask every model at the same time: a busy server takes seconds for each, and seconds in all.

    Args:
        place: the server.
        paint: whether those that take seconds are asked for their answers, too; a restyler at work is then waited for,
            and else not taken for dead.
        seconds: the longest wait for one model.
    """
    async with _connected(place) as wire:
        known = _known(_recorded(place.repository))
        return tuple(await asyncio.gather(*(_examine(wire, each, paint=paint, seconds=seconds) for each in known)))


async def check_server(place: Place, *, seconds: float = SECONDS_FOR_ONE) -> None:
    """Ask every model for its known answer, one after the other.

    Args:
        place: the server.
        seconds: the longest wait for one model.

    Raises:
        ServerUnreachable: a model did not respond, or responded with an error.
        GoldenMismatch: a model gave wrong outputs.
    """
    async with _connected(place) as wire:
        for each in _known(_recorded(place.repository)):
            await _ask(wire, each, paint=True, seconds=seconds)


async def answers_rightly(address: str, *, repository: Path | None = None) -> bool:
    """Return whether every served model gives its known outputs, or, where one takes seconds, is alive."""
    return all(finding.outcome is not Outcome.WRONG for finding in await examine(Place(address, None, repository)))


@dataclass(frozen=True)
class _Known:
    """A golden pair, and whether it was recorded of an operator's model."""

    pair: Golden
    recorded: bool

    @property
    def model(self) -> str:
        return self.pair.manifest.name

    def is_of(self, facts: Facts) -> bool:
        """Return whether what is served is what was recorded."""
        return self.recorded or facts.identity in {"", self.pair.manifest.identity}


@asynccontextmanager
async def _connected(place: Place) -> AsyncIterator[TritonWire]:
    wire = TritonWire(place.address, place.tls)
    try:
        yield wire
    finally:
        await wire.close()


def _recorded(repository: Path | None) -> frozenset[tuple[Path, int]]:
    """Return the golden outputs of operators' models in a repository, with the times at which they were written."""
    found = () if repository is None else repository.glob(f"*/{GOLDEN_FILE}")
    return frozenset((path, path.stat().st_mtime_ns) for path in found)


@lru_cache(maxsize=1)
def _known(recorded: frozenset[tuple[Path, int]]) -> tuple[_Known, ...]:
    """Needed every few seconds for as long as a stack runs, so drawn once for each repository."""
    kept = {path.parent.name: path for path, _ in recorded}
    return tuple(
        _Known(recorded_golden(model.name, kept[model.name]), recorded=True)
        if model.name in kept
        else _Known(golden(model), recorded=False)
        for model in shipped_models()
    )


async def _examine(wire: TritonWire, known: _Known, *, paint: bool, seconds: float) -> Finding:
    started = time.monotonic()

    def finding(outcome: Outcome, error: ModelError | None = None) -> Finding:
        reason, message = ("", "") if error is None else (error.reason, str(error))
        return Finding(known.model, outcome, reason, message, round(time.monotonic() - started, 3))

    try:
        return finding(await _ask(wire, known, paint=paint, seconds=seconds))
    except ModelError as error:
        return finding(Outcome.WRONG, error)


async def _ask(wire: TritonWire, known: _Known, *, paint: bool, seconds: float) -> Outcome:
    """Ask a model for its known answer, or whether it is alive.

    Raises:
        ServerUnreachable: it did not respond, or responded with an error.
        GoldenMismatch: it gave wrong outputs.
    """
    facts = await _facts(wire, known, seconds)
    if known.is_of(facts) and (paint or not known.pair.manifest.network):
        await _infer(wire, known.pair, facts, seconds)
        return Outcome.RIGHT
    await _knock(wire, known.pair)
    return Outcome.ALIVE


async def _facts(wire: TritonWire, known: _Known, seconds: float) -> Facts:
    try:
        return await wire.facts(known.model, seconds=seconds)
    except Failed as error:
        raise _unreachable(known.pair, error) from error


async def _infer(wire: TritonWire, pair: Golden, facts: Facts, seconds: float) -> None:
    names = [output.name for output in pair.outputs]
    try:
        outputs = await wire.infer(pair.manifest.name, pair.inputs, names, seconds=seconds)
    except (Failed, ModelAnswerBroken) as error:
        raise _unreachable(pair, error) from error
    as_served(pair, facts.parameters).check(outputs)


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
