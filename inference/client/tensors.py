"""Tensors of requests and responses: what is asked for, what the server has, and what is usable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from inference.client.errors import ModelAnswerBroken

Tensors: TypeAlias = Mapping[str, NDArray[np.generic]]
"""Name -> array; where the model takes batches, the batch comes first."""

Element: TypeAlias = Literal["UINT8", "INT32", "INT64", "FP16", "FP32"]

ELEMENTS: Final[Mapping[str, type[np.generic]]] = {
    "UINT8": np.uint8,
    "INT32": np.int32,
    "INT64": np.int64,
    "FP16": np.float16,
    "FP32": np.float32,
}


@dataclass(frozen=True)
class OutputSpec:
    """An output to return, and what makes it usable.

    Attributes:
        name: The output.
        shape: Without the batch; None where any length but zero will do.
        element: Its type on the wire.
    """

    name: str
    shape: tuple[int | None, ...]
    element: Element = "FP32"


@dataclass(frozen=True)
class TensorFacts:
    """An input or output as the server is configured: `shape` without the batch, -1 where any length is taken."""

    element: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Facts:
    """What the server says of a model.

    Attributes:
        model: Its name.
        identity: What findings name it by; empty where the server's configuration says nothing.
        largest_batch: Of one request; zero for a model that takes no batches.
        instances: How many of it run.
        inputs: Name -> tensor.
        outputs: Name -> tensor.
        parameters: What its configuration says besides, by key.
    """

    model: str
    identity: str
    largest_batch: int
    instances: int
    inputs: Mapping[str, TensorFacts]
    outputs: Mapping[str, TensorFacts]
    parameters: Mapping[str, str] = field(default_factory=dict)


class InferenceResult:
    """Usable outputs, by name; where the model takes batches, the batch comes first."""

    def __init__(self, arrays: Tensors) -> None:
        self._arrays = arrays

    def floats(self, name: str) -> NDArray[np.float32]:
        """Return an output of FP32 or FP16 as FP32."""
        return np.asarray(self._arrays[name], np.float32)

    def integers(self, name: str) -> NDArray[np.int64]:
        """Return an output of INT32 or INT64 as INT64."""
        return np.asarray(self._arrays[name], np.int64)

    def pixels(self, name: str) -> NDArray[np.uint8]:
        """Return an output of UINT8."""
        return np.asarray(self._arrays[name], np.uint8)


@dataclass(frozen=True)
class Request:
    """What goes to a model at once.

    Attributes:
        inputs: The tensors.
        specs: The outputs.
        batch: How many examples, first in the shape of every tensor; empty for a model that takes no batches.
        deadline: When the outputs have to be there at the latest, on the clock; None for no matter when.
        response: Longest wait for them once the turn has come, in seconds; None for that of the policy.
    """

    inputs: Tensors
    specs: tuple[OutputSpec, ...]
    batch: tuple[int, ...]
    deadline: float | None
    response: float | None = None

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs."""
        return [each.name for each in self.specs]

    def portions(self, largest: int) -> "list[Request]":
        """Cut a batch into portions of at most `largest` examples."""
        (count,) = self.batch
        return [
            replace(
                self,
                inputs={name: array[start : start + largest] for name, array in self.inputs.items()},
                batch=(min(largest, count - start),),
            )
            for start in range(0, count, largest)
        ]

    def halves(self) -> "list[Request]":
        """Cut a batch in two; nothing where there is nothing to cut."""
        return self.portions((self.batch[0] + 1) // 2) if self.batch and self.batch[0] > 1 else []


def split_requests(whole: Request, largest_batch: int) -> list[Request]:
    """Split a call into requests: as many as batches are needed, one for a model that takes none."""
    if not largest_batch:
        return [whole]
    count = len(next(iter(whole.inputs.values())))
    return replace(whole, batch=(count,)).portions(largest_batch)


def join(portions: Sequence[Tensors]) -> Tensors:
    """Put the outputs of portions together again."""
    if len(portions) == 1:
        return portions[0]
    return {name: np.concatenate([each[name] for each in portions]) for name in portions[0]}


def check_outputs(model: str, arrays: Tensors, specs: Sequence[OutputSpec], batch: tuple[int, ...]) -> None:
    """Check outputs before anything of them is stored.

    A broken back end sends empty outputs, or too few numbers, and calls that success.

    Args:
        model: Whose outputs they are.
        arrays: The outputs, by name.
        specs: What was asked for.
        batch: The size of the batch; empty for a model that takes none.

    Raises:
        ModelAnswerBroken: an output is missing, empty, of another type or shape, or holds what is no number.
    """
    for each in specs:
        array = arrays.get(each.name)
        if array is None:
            raise ModelAnswerBroken(model, "is missing", each.name)
        if array.dtype != ELEMENTS[each.element]:
            raise ModelAnswerBroken(model, f"holds {array.dtype} in place of {each.element}", each.name)
        if array.size == 0 or not _fits(array.shape, (*batch, *each.shape)):
            raise ModelAnswerBroken(
                model, f"has the shape {array.shape} in place of {(*batch, *each.shape)}", each.name
            )
        if np.issubdtype(array.dtype, np.floating) and not np.isfinite(array).all():
            raise ModelAnswerBroken(model, "holds what is no number (NaN or infinite)", each.name)


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(b is None or a == b for a, b in zip(shape, expected, strict=True))
