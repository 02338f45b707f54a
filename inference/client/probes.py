"""Probes: requests with known outputs, sent to a server that has failed before it gets any picture of a person."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.client.tensors import ELEMENTS, Facts, TensorFacts, Tensors
from inference.engines.proof import PlanGolden, as_served
from inference.model_build.errors import GoldenMismatch, ManifestInvalid
from inference.model_build.golden import Golden, golden
from inference.model_build.manifest import shipped_model

_ANY_LENGTH: Final = 64
"""Length asked for where a model takes any; small, and a multiple of all strides in use."""


@dataclass(frozen=True)
class Probe:
    """A request that finds out whether a model is well, and the outputs to expect.

    Attributes:
        inputs: The tensors, with a batch of one where the model takes batches.
        outputs: What is asked for.
        golden: The known outputs; None if any response, even a refusal, shows that the model is alive.
    """

    inputs: Tensors
    outputs: tuple[str, ...]
    golden: Golden | PlanGolden | None = None


Probes: TypeAlias = Callable[[Facts], Probe]
"""Return the probe for a model as it is served."""


def shipped_probe(facts: Facts) -> Probe:
    """Return a model's golden pair if it is one of ours, and otherwise a blank probe."""
    pair = _golden(facts.model)
    if pair is None or facts.identity not in ("", pair.manifest.identity):
        return blank_probe(facts)
    outputs = tuple(output.name for output in pair.manifest.outputs)
    return Probe(pair.inputs, outputs, as_served(pair, facts.parameters))


def blank_probe(facts: Facts) -> Probe:
    """Return a probe of ones, which are pixels, tokens and masks alike, of the shapes that the server takes."""
    batch = (1,) if facts.largest_batch else ()
    return Probe({name: _ones(batch, tensor) for name, tensor in facts.inputs.items()}, tuple(facts.outputs))


@cache
def _golden(model: str) -> Golden | None:
    """Drawn when first needed, and kept: a server that fails once may fail again."""
    try:
        return golden(shipped_model(model))
    except (ManifestInvalid, GoldenMismatch):
        return None


def _ones(batch: tuple[int, ...], tensor: TensorFacts) -> NDArray[np.generic]:
    shape = (*batch, *(length if length > 0 else _ANY_LENGTH for length in tensor.shape))
    return np.ones(shape, ELEMENTS.get(tensor.element, np.float32))
