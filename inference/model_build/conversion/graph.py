"""Small builder for ONNX graphs: names are given, constants are kept, the result is checked."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET: Final = 17  # the newest that Triton 2.51's TensorRT and ONNX Runtime both read
IR_VERSION: Final = 9
BATCH: Final = "N"
ELEMENT_TYPES: Final[Mapping[str, int]] = {
    "UINT8": TensorProto.UINT8,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
}

Attribute = int | float | str | Sequence[int]


class GraphBuilder:
    """Collects nodes and constants in order; every node has one output, whose name is returned."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, array: NDArray[np.generic] | np.generic) -> str:
        """Add a constant tensor and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        return name

    def floats(self, *values: float) -> str:
        """Add a float32 constant: a scalar for one value, else a vector."""
        return self.constant(np.asarray(values[0] if len(values) == 1 else values, np.float32))

    def integers(self, *values: int) -> str:
        """Add an int64 vector, as shapes, axes and pads want it."""
        return self.constant(np.asarray(values, np.int64))

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Attribute) -> str:
        """Add an operator with one output.

        Args:
            operator: the ONNX operator.
            inputs: names of its inputs, in order.
            output: the output's name, when it is one of the graph's own outputs.
            attributes: the operator's attributes.

        Returns:
            The name of the output.
        """
        name = output or f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def splice(self, nodes: Sequence[onnx.NodeProto], constants: Sequence[onnx.TensorProto]) -> None:
        """Add the nodes and constants of another graph under their own names."""
        self._nodes.extend(nodes)
        self._constants.extend(constants)

    def picture_to_planes(self, picture: str) -> str:
        """Casts a UINT8 NHWC picture to float32 NCHW; the cast comes first because TensorRT wants it so."""
        return self.node("Transpose", self.node("Cast", picture, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])

    def best(self, scores: str, count: int, *, values: str) -> str:
        """Pick the highest scores of each row.

        Args:
            scores: [N, candidates].
            count: how many to keep.
            values: the name of the output that gets the scores kept, in falling order.

        Returns:
            The name of the indices kept, int64 [N, count].
        """
        indices = f"indices_{len(self._nodes)}"
        self._nodes.append(
            helper.make_node("TopK", [scores, self.integers(count)], [values, indices], axis=1, sorted=1)
        )
        return indices

    def split(self, tensor: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Cuts a tensor along an axis into parts of the given sizes."""
        edges = np.cumsum([0, *sizes]).tolist()
        return [
            self.node("Slice", tensor, self.integers(start), self.integers(end), self.integers(axis))
            for start, end in pairwise(edges)
        ]

    def finish(
        self,
        name: str,
        inputs: Mapping[str, tuple[str, Sequence[int]]],
        outputs: Mapping[str, tuple[str, Sequence[int]]],
    ) -> onnx.ModelProto:
        """Make the model.

        Args:
            name: the graph's name.
            inputs: name -> (element type, shape without the batch).
            outputs: the same for the outputs.

        Returns:
            A checked model with a dynamic first axis on every input and output.
        """
        graph = helper.make_graph(self._nodes, name, _values(inputs), _values(outputs), initializer=self._constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="pellicule",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def _values(tensors: Mapping[str, tuple[str, Sequence[int]]]) -> list[onnx.ValueInfoProto]:
    return [
        helper.make_tensor_value_info(name, ELEMENT_TYPES[element], [BATCH, *shape])
        for name, (element, shape) in tensors.items()
    ]
