"""Serves `model.onnx` of its folder through Triton's Python back end with ONNX Runtime, on one thread.

Assembled into every model's version folder. Parameters of the configuration:
    row_by_row: "true" runs each example of a request alone; for a network of which one example's activations fit into
        a core's cache, and several do not.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

_REFUSALS = (Fail, InvalidArgument, RuntimeException, ValueError, MemoryError)


class TritonPythonModel:
    """One instance: a session of its own, one thread, none that spins while it waits."""

    def initialize(self, args):
        """Open the session; refuse to start under a numpy whose arrays the back end cannot read."""
        if int(np.__version__.partition(".")[0]) >= 2:
            raise pb_utils.TritonModelException(f"numpy {np.__version__} gives empty outputs here; install numpy 1.26")
        config = json.loads(args["model_config"])
        self._inputs = [tensor["name"] for tensor in config["input"]]
        self._outputs = [tensor["name"] for tensor in config["output"]]
        self._row_by_row = config["parameters"].get("row_by_row", {}).get("string_value") == "true"
        folder = Path(args["model_repository"]) / args["model_version"]
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), _options(), providers=["CPUExecutionProvider"]
        )
        self._postman = ThreadPoolExecutor(1)

    def execute(self, requests):
        """Answers every request of a batch, each with its outputs or with its own error, as soon as it has them.

        Each is run alone, which on a CPU is no slower and needs less memory. What is run alone is answered alone:
        returned together, the first answer of a batch would wait for the last. The server takes half a millisecond to
        accept an answer; meanwhile the next is computed.
        """
        post = self._postman.submit
        sent = [post(_send, request.get_response_sender(), self._answer(request)) for request in requests]
        for each in sent:
            each.result()

    def finalize(self):
        """End the thread that sends."""
        self._postman.shutdown()

    def _answer(self, request):
        inputs = {name: pb_utils.get_input_tensor_by_name(request, name).as_numpy() for name in self._inputs}
        try:
            return self._response(self._run_rows(inputs) if self._row_by_row else self._run(inputs))
        except _REFUSALS as error:
            return _failure(error)

    def _run(self, inputs):
        return self._session.run(self._outputs, inputs)

    def _run_rows(self, inputs):
        count = len(inputs[self._inputs[0]])
        rows = [self._run({name: array[row : row + 1] for name, array in inputs.items()}) for row in range(count)]
        return [np.concatenate(parts) for parts in zip(*rows, strict=True)]

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


def _send(sender, response):
    sender.send(response, pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL)


def _failure(error):
    """Return an answer that carries the error; raising would leak the request's shared memory."""
    return pb_utils.InferenceResponse(output_tensors=[], error=pb_utils.TritonError(f"{type(error).__name__}: {error}"))
