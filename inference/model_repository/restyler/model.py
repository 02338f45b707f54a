"""Serves the restyler through Triton's Python back end: one call for each picture, all steps inside.

Assembled into the version folder together with the package `diffusion`, which does the sampling, and its graphs.
Parameters of the configuration:
    family: "flow" for one network `velocity`, "latent" for four graphs.
    styles: the names of the styles by index, with commas between them.
    graphs: "sessions" runs the ONNX files of the folder here; "models" calls the models `restyler_<graph>` of the
        same server, which on a GPU are TensorRT plans.
    canvas: the only side that the flow network takes, in pixels, as plans have; "0" for any.
    threads: of one run here; "0" for all cores.
"""

import json
import os
from pathlib import Path

import numpy as np
import triton_python_backend_utils as pb_utils
from diffusion.errors import NetworkFailed, RequestRefused, RestylingCancelled, RestylingError
from diffusion.opening import open_restyler
from diffusion.request import MIN_SIDE, RestyleRequest


class TritonPythonModel:
    """One instance: one picture at a time."""

    def initialize(self, args):
        """Open the graphs, and run those of this process once; refuse a numpy that the back end cannot read."""
        if int(np.__version__.partition(".")[0]) >= 2:
            raise pb_utils.TritonModelException(f"numpy {np.__version__} gives empty outputs here; install numpy 1.26")
        parameters = {
            key: value["string_value"] for key, value in json.loads(args["model_config"])["parameters"].items()
        }
        folder = Path(args["model_repository"]) / args["model_version"]
        in_process = parameters["graphs"] == "sessions"
        graphs = _sessions(folder, int(parameters["threads"])) if in_process else _served(args["model_name"])
        try:
            self._restyler = open_restyler(
                parameters["family"],
                parameters["styles"].split(","),
                folder,
                graphs,
                canvas=int(parameters["canvas"]),
            )
            if in_process:
                self._restyler.restyle(_smallest(), lambda: False)
        except RestylingError as error:
            raise pb_utils.TritonModelException(f"{error.reason} [{error.field}]: {error}") from error

    def execute(self, requests):
        """Answers each request with its picture or with its own error; raising would leak shared memory."""
        return [self._answer(request) for request in requests]

    def _answer(self, request):
        try:
            picture = self._restyler.restyle(_read(request), request.is_cancelled)
        except RestylingError as error:
            return _failure(error.reason, error.field, error, _code(error))
        except MemoryError as error:
            return _failure("OUT_OF_MEMORY", "photo", f"out of memory: {error}", pb_utils.TritonError.INTERNAL)
        return pb_utils.InferenceResponse(output_tensors=[pb_utils.Tensor("picture", picture[None])])


def _read(request):
    inputs = {tensor.name(): tensor.as_numpy()[0] for tensor in request.inputs()}
    return RestyleRequest(
        photo=inputs["photo"],
        style=int(inputs["style"][0]),
        steps=int(inputs["steps"][0]),
        strength=float(inputs["strength"][0]),
        seed=int(inputs["seed"][0]),
    )


def _smallest():
    """Return the least that can be asked; it makes the sessions ready."""
    return RestyleRequest(np.full((MIN_SIDE, MIN_SIDE, 3), 127, np.uint8), style=0, steps=1, strength=1.0, seed=0)


def _sessions(folder, threads):
    """Open graphs as sessions of this process."""
    # Not needed where the graphs are served as models of their own, and not installed there.
    from diffusion.sessions import Sessions

    cores = threads or len(os.sched_getaffinity(0))
    return lambda names: Sessions({name: folder / f"{name}.onnx" for name in names}, threads=cores)


def _served(model_name):
    """Open graphs as models of this server, each under this model's name and its own."""
    return lambda _: lambda graph, inputs: _call(f"{model_name}_{graph}", inputs)


def _call(model, inputs):
    on_host = pb_utils.PreferredMemory(pb_utils.TRITONSERVER_MEMORY_CPU, 0)
    request = pb_utils.InferenceRequest(
        model_name=model,
        requested_output_names=_OUTPUTS[model.rpartition("restyler_")[2]],
        inputs=[pb_utils.Tensor(name, np.ascontiguousarray(array)) for name, array in inputs.items()],
        preferred_memory=on_host,
    )
    response = request.exec()
    if response.has_error():
        raise NetworkFailed(f"{model}: {response.error().message()}", field=model)
    return {tensor.name(): tensor.as_numpy() for tensor in response.output_tensors()}


_OUTPUTS = {
    "velocity": ["v"],
    "text_encoder": ["last_hidden_state"],
    "vae_encoder": ["latent_sample"],
    "unet": ["out_sample"],
    "vae_decoder": ["sample"],
}


def _code(error):
    if isinstance(error, RequestRefused):
        return pb_utils.TritonError.INVALID_ARG
    if isinstance(error, RestylingCancelled):
        return pb_utils.TritonError.CANCELLED
    return pb_utils.TritonError.INTERNAL


def _failure(reason, field, error, code):
    """Return an answer that carries the error as `REASON [field]: message`."""
    return pb_utils.InferenceResponse(
        output_tensors=[], error=pb_utils.TritonError(f"{reason} [{field}]: {error}", code)
    )
