"""Decides for a model whether it may compute in half precision, by asking it the probes both ways."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from inference.engines.deltas import Delta, Outputs, deltas
from inference.engines.half import rehearsal, to_half
from inference.engines.key import Precision
from inference.engines.probes import Probe
from inference.engines.profiles import Profile


@dataclass(frozen=True)
class Choice:
    """The typed graph that is built from, and what was measured on the way.

    Attributes:
        model: the graph.
        precision: its precision.
        deltas: of half precision against single; empty when half was not tried.
    """

    model: onnx.ModelProto
    precision: Precision
    deltas: tuple[Delta, ...]


def choose(model: onnx.ModelProto, profile: Profile, probes: Sequence[Probe], reference: Outputs) -> Choice:
    """Takes half precision when the profile wants it and every limit holds, else leaves the graph as it is.

    Args:
        model: in single precision.
        profile: says whether half is tried, and the limits.
        probes: what to ask.
        reference: what the model answers to each probe in single precision.
    """
    if not profile.half:
        return Choice(model, Precision.FP32, ())
    half = to_half(model)
    measured = deltas(profile.limits, probes, run(rehearsal(half), probes, optimised=False), reference)
    if all(delta.holds for delta in measured):
        return Choice(half, Precision.FP16, measured)
    return Choice(model, Precision.FP32, measured)


def run(
    model: onnx.ModelProto, probes: Sequence[Probe], *, optimised: bool = True
) -> list[dict[str, NDArray[np.generic]]]:
    """Asks a graph every probe in ONNX Runtime, on one thread.

    Args:
        model: the graph.
        probes: what to ask.
        optimised: whether operators may be fused; not when their rounding is what is looked at.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimised:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return [dict(zip(names, session.run(names, dict(probe.inputs)), strict=True)) for probe in probes]
