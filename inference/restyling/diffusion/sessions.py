"""Sessions: the graphs in ONNX Runtime, in this process."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from .errors import NetworkFailed
from .request import Tensors

_ELEMENTS = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


class Sessions:
    """Several graphs, each on all the threads given, none of which spins while it waits.

    Args:
        paths: graph name -> its ONNX file.
        threads: of one run; one picture is restyled at a time, so it may have all cores.
    """

    def __init__(self, paths: Mapping[str, Path], *, threads: int) -> None:
        options = _options(threads)
        self._sessions = {
            name: onnxruntime.InferenceSession(str(path), options, providers=_providers())
            for name, path in paths.items()
        }

    def __call__(self, graph: str, inputs: Tensors) -> Tensors:
        """Run one graph; inputs become what it declares, so that one in half precision can be served too.

        Raises:
            NetworkFailed: it cannot be run.
        """
        session = self._sessions[graph]
        try:
            fed = {each.name: _cast(inputs[each.name], each.type) for each in session.get_inputs()}
            names = [each.name for each in session.get_outputs()]
            return dict(zip(names, session.run(names, fed), strict=True))
        except (Fail, InvalidArgument, RuntimeException, KeyError, MemoryError) as error:
            raise NetworkFailed(f"{graph}: {type(error).__name__}: {error}", field=graph) from error


def _providers() -> list[str]:
    """Return where graphs run: on a GPU where this build of ONNX Runtime can, else on the CPU."""
    known = onnxruntime.get_available_providers()
    return [name for name in ("CUDAExecutionProvider", "CPUExecutionProvider") if name in known]


def _cast(array: NDArray[np.generic], declared: str) -> NDArray[np.generic]:
    cast: NDArray[np.generic] = np.ascontiguousarray(array, dtype=_ELEMENTS[declared])
    return cast


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
