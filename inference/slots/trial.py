"""Trial run of an operator's graph as the server would run it, and what every honest output has in common."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import (
    EPFail,
    Fail,
    InvalidArgument,
    InvalidGraph,
    InvalidProtobuf,
    RuntimeException,
)
from onnxruntime.capi.onnxruntime_pybind11_state import (
    NotImplemented as NotSupported,
)

from inference.model_build.sessions import ModelSession
from inference.slots.contracts import AnyLength, GraphContract, TensorContract
from inference.slots.violations import Violation

Tensors: TypeAlias = Mapping[str, NDArray[np.generic]]
View: TypeAlias = Callable[[Tensors], Tensors]
REFUSALS: Final = (
    EPFail, Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NotSupported, RuntimeException, MemoryError,
)  # fmt: skip
ELEMENTS: Final = {"FP32": np.float32, "FP16": np.float16, "INT64": np.int64, "INT32": np.int32, "UINT8": np.uint8}
_TOLERANCE: Final = 1e-3


class Refused(Exception):
    """A graph cannot be run, or answers with something that nothing more can be told of."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(map(str, violations)))
        self.violations = violations


class Trial:
    """One graph, opened once.

    Args:
        path: the ONNX file.
        contract: its tensors.
    """

    def __init__(self, path: Path, contract: GraphContract) -> None:
        self._contract = contract
        self._file = path.name
        try:
            self._session = ModelSession(path)
        except REFUSALS as error:
            raise Refused(self._cannot_run("opened", error)) from error

    def run(self, inputs: Tensors) -> dict[str, NDArray[np.generic]]:
        """Run the graph and proves that its outputs have the types and shapes of the contract, and are finite.

        Raises:
            Refused: it cannot be run, or an output is not what it should be.
        """
        try:
            outputs = self._session.run(inputs)
        except REFUSALS as error:
            raise Refused(self._cannot_run("run", error)) from error
        batch = len(next(iter(inputs.values())))
        faults = [fault for each in self._contract.outputs if (fault := _fault(each, outputs.get(each.name), batch))]
        if faults:
            raise Refused(*faults)
        return outputs

    def together(self, inputs: Tensors, *, view: View = lambda one: one, tolerance: float = _TOLERANCE) -> Tensors:
        """Run a batch, then its examples one by one, and proves that company changes nothing.

        Args:
            inputs: name -> array, the batch first.
            view: what of one example's answer has to be the same.
            tolerance: how far numbers may differ, relative to the largest.

        Raises:
            Refused: as of `run`, or the answers differ.
        """
        batch = self.run(inputs)
        for place in range(len(next(iter(inputs.values())))):
            alone = self.run({name: array[place : place + 1] for name, array in inputs.items()})
            expected = view({name: array[0] for name, array in alone.items()})
            for name, array in view({name: array[place] for name, array in batch.items()}).items():
                if not _alike(array, expected[name], tolerance):
                    raise Refused(_depends_on_company(name))
        return batch

    def element(self, name: str) -> str:
        """Return the element type that an input declares, such as "FP32"."""
        return str(self._session.elements[name])

    def _cannot_run(self, what: str, error: Exception) -> Violation:
        reason = " ".join(str(error).split())[:300]
        remedy = "open and run it with onnxruntime on a CPU, and export it again until that works"
        return Violation(self._file, f"a graph that cannot be {what} ({reason})", "one that ONNX Runtime runs", remedy)


def cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the cosine of two vectors; 0 where one has no length."""
    lengths = float(np.linalg.norm(one)) * float(np.linalg.norm(other))
    return float(one @ other) / max(lengths, 1e-9)


def _fault(wanted: TensorContract, got: NDArray[np.generic] | None, batch: int) -> Violation | None:
    field, expected = f"output {wanted.name!r}", str(wanted)
    if got is None:
        return Violation(field, "none", expected, "add it to the graph's outputs")
    found = f"{got.dtype} {list(got.shape)}"
    if got.dtype not in [ELEMENTS[element] for element in wanted.elements]:
        return Violation(field, found, expected, f"cast it to {wanted.elements[0]}")
    if not _has_shape(wanted, got.shape, batch):
        return Violation(field, f"{found} for a batch of {batch}", expected, "reshape it in the graph")
    if not np.isfinite(got).all():
        return Violation(field, "NaN or infinity", "finite numbers", "look for overflows: half precision, log(0), 0/0")
    return None


def _has_shape(wanted: TensorContract, shape: tuple[int, ...], batch: int) -> bool:
    if len(shape) != len(wanted.shape) + 1 or shape[0] != batch:
        return False
    pairs = zip(wanted.shape, shape[1:], strict=True)
    fixed = ((want, got) for want, got in pairs if isinstance(want, int | AnyLength))
    return all(want.least <= got <= want.most if isinstance(want, AnyLength) else want == got for want, got in fixed)


def _alike(one: NDArray[np.generic], other: NDArray[np.generic], tolerance: float) -> bool:
    if one.shape != other.shape:
        return False
    first, second = one.astype(np.float64), other.astype(np.float64)
    largest = max(1.0, float(np.abs(second).max(initial=0)))
    return float(np.abs(first - second).max(initial=0)) <= tolerance * largest


def _depends_on_company(name: str) -> Violation:
    remedy = "export in inference mode: batch normalisation must use its learnt averages, and nothing may be random"
    return Violation(f"output {name!r}", "other numbers for an input alone than in a batch", "the same numbers", remedy)
