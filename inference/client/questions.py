"""Questions of our own, asked before anybody's picture is sent to a server that has failed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.client.tensors import ELEMENTS, Facts, TensorFacts, Tensors
from inference.models.errors import GoldenMismatch, ManifestInvalid
from inference.models.golden import Golden, golden
from inference.models.manifest import shipped_model

_ANY_LENGTH: Final = 64
"""Length asked for where a model takes any; small, and a multiple of all strides in use."""


@dataclass(frozen=True)
class Question:
    """A question, and what to make of the answer.

    Attributes:
        inputs: The tensors, with a batch of one where the model takes batches.
        outputs: What is asked for.
        golden: The answer that is known; None if any answer, even a refusal, shows that the model is alive.
    """

    inputs: Tensors
    outputs: tuple[str, ...]
    golden: Golden | None = None


Questions: TypeAlias = Callable[[Facts], Question]
"""Returns the question for a model as it is served."""


def shipped_questions(facts: Facts) -> Question:
    """Returns a model's golden question if it is one of ours, and otherwise a blank one."""
    pair = _golden(facts.model)
    if pair is None or facts.identity not in ("", pair.manifest.identity):
        return blank_question(facts)
    return Question(pair.inputs, tuple(output.name for output in pair.manifest.outputs), pair)


def blank_question(facts: Facts) -> Question:
    """Returns a question of zeros, of the shapes that the server is configured with."""
    batch = (1,) if facts.largest_batch else ()
    return Question({name: _zeros(batch, tensor) for name, tensor in facts.inputs.items()}, tuple(facts.outputs))


@cache
def _golden(model: str) -> Golden | None:
    """Drawn when first needed, and kept: a server that fails once may fail again."""
    try:
        return golden(shipped_model(model))
    except (ManifestInvalid, GoldenMismatch):
        return None


def _zeros(batch: tuple[int, ...], tensor: TensorFacts) -> NDArray[np.generic]:
    shape = (*batch, *(length if length > 0 else _ANY_LENGTH for length in tensor.shape))
    return np.zeros(shape, ELEMENTS.get(tensor.element, np.float32))
