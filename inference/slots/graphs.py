"""Graph runner: each graph of a model by itself, on numbers of the shapes that it will be given."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.slots.candidate import Candidate
from inference.slots.contracts import AnyLength, EachLength, GraphContract, Length, TensorContract
from inference.slots.trial import ELEMENTS, Refused
from inference.slots.violations import Violation

_SIDE: Final = 64


def run_alone(candidate: Candidate) -> Iterator[Violation]:
    """Every graph gives what it declares, and graphs that feed each other agree about lengths."""
    lengths: dict[str, int] = {}
    for graph in candidate.contract.graphs:
        trial = candidate.trials[graph.name]
        inputs = {each.name: _numbers(each, trial.element(each.name), lengths) for each in graph.inputs}
        try:
            outputs = trial.run(inputs)
        except Refused as refused:
            yield from refused.violations
            continue
        lengths |= _chosen(graph, outputs)


def _numbers(tensor: TensorContract, element: str, lengths: dict[str, int]) -> NDArray[np.generic]:
    shape = (1, *(_length(each, lengths) for each in tensor.shape))
    steps = np.arange(int(np.prod(shape)), dtype=np.int64) * 2654435761 % 4096
    drawn = np.zeros(shape) if element.startswith("INT") else (steps / 2048 - 1).reshape(shape)
    return np.asarray(drawn, ELEMENTS[element])


def _length(length: Length, lengths: dict[str, int]) -> int:
    if isinstance(length, EachLength):
        return _SIDE
    return lengths.get(length.name, length.least) if isinstance(length, AnyLength) else length


def _chosen(graph: GraphContract, outputs: dict[str, NDArray[np.generic]]) -> dict[str, int]:
    """Return the lengths that a graph has chosen."""
    return {
        wanted.name: got
        for tensor in graph.outputs
        for wanted, got in zip(tensor.shape, outputs[tensor.name].shape[1:], strict=True)
        if isinstance(wanted, AnyLength)
    }
