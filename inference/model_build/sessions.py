"""ONNX Runtime sessions, set up as the server's are: one thread each, and none that spins while it waits."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_ELEMENTS: Final = {
    "tensor(uint8)": "UINT8",
    "tensor(float)": "FP32",
    "tensor(float16)": "FP16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
}


class ModelSession:
    """One model in this process.

    Args:
        model: its ONNX file, or the bytes of one.
        threads: of one run.
        optimised: whether operators may be fused; not when their rounding is what is looked at.

    Attributes:
        elements: name of an input -> its element type, such as "FP32".
    """

    def __init__(self, model: Path | bytes, *, threads: int = 1, optimised: bool = True) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        if not optimised:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        graph = model if isinstance(model, bytes) else str(model)
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.elements = {each.name: _ELEMENTS.get(each.type, each.type) for each in self._session.get_inputs()}

    def run(self, inputs: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
        """Run the model once.

        Args:
            inputs: input name -> array, the batch first.

        Returns:
            Output name -> array, the batch first.
        """
        return dict(zip(self._outputs, self._session.run(self._outputs, dict(inputs)), strict=True))
