"""Serves `model.onnx` of its folder through Triton's Python back end with ONNX Runtime, on one thread.

Assembled into every model's version folder. Parameters of the configuration:
    merge_requests: "true" joins the requests of a batch into one run, which pays for tiny models only;
        otherwise each request is run alone, which on a CPU is no slower and needs less memory.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

_REFUSALS = (Fail, InvalidArgument, RuntimeException, ValueError, MemoryError)


class TritonPythonModel:
    """One instance: a session of its own, one thread, none that spins while it waits."""

    def initialize(self, args):
        """Opens the session; refuses to start under a numpy whose arrays the back end cannot read."""
        if int(np.__version__.partition(".")[0]) >= 2:
            raise pb_utils.TritonModelException(f"numpy {np.__version__} gives empty outputs here; install numpy 1.26")
        config = json.loads(args["model_config"])
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._outputs = [tensor["name"] for tensor in config["output"]]
        self._merges = config["parameters"].get("merge_requests", {}).get("string_value") == "true"
        folder = Path(args["model_repository"]) / args["model_version"]
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), _options(), providers=["CPUExecutionProvider"]
        )

    def execute(self, requests):
        """Answers every request of a batch, each with its outputs or with its own error, as soon as it has them.

        What is run alone is answered alone: returned together, the first answer of a batch would wait for the last.
        """
        if self._merges and len(requests) > 1:
            return self._run_together(requests)
        for request in requests:
            request.get_response_sender().send(self._run_one(request), pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)
        return None

    def _run_one(self, request):
        inputs = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}
        try:
            return self._response(self._session.run(self._outputs, inputs))
        except _REFUSALS as error:
            return _failure(error)

    def _run_together(self, requests):
        parts = {
            name: [pb_utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
            for name in self._inputs
        }
        edges = np.cumsum([len(part) for part in parts[self._inputs[0]]])[:-1]
        try:
            joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
            outputs = [np.split(array, edges) for array in self._session.run(self._outputs, joined)]
        except _REFUSALS as error:
            return [_failure(error) for _ in requests]
        return [self._response(arrays) for arrays in zip(*outputs, strict=True)]

    def _response(self, arrays):
        tensors = [pb_utils.Tensor(name, array) for name, array in zip(self._outputs, arrays, strict=True)]
        return pb_utils.InferenceResponse(output_tensors=tensors)


def _options():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _failure(error):
    """An answer that carries the error; raising would leak the request's shared memory."""
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(f"{type(error).__name__}: {error}"))
