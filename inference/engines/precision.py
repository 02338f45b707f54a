"""Decides for a model whether it may compute in half precision, by asking it the probes both ways."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from inference.engines.deltas import Delta, Outputs, deltas
from inference.engines.half import rehearsal, to_half
from inference.engines.key import Precision
from inference.engines.probes import Probe
from inference.engines.profiles import Profile
from inference.model_build.sessions import ModelSession


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
    """Run every probe through a graph in ONNX Runtime, on one thread (`ModelSession`)."""
    session = ModelSession(model.SerializeToString(), optimised=optimised)
    return [session.run(probe.inputs) for probe in probes]
