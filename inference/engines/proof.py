"""Proof that a plan answers rightly: its golden answers, held to the limits under which it was committed.

A plan may compute in half precision and adds up in another order, so it never comes as near to the recorded answers as
ONNX Runtime does on any processor. The restyler's plan is given photos that were brought to one size, so that another
picture comes of a small one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from inference.engines.deltas import Limit, deltas
from inference.engines.profiles import Profile, profiles
from inference.model_build.errors import GoldenMismatch
from inference.model_build.golden import Golden, Tensors
from inference.model_build.manifest import shipped_model

PRECISION_PARAMETER: Final = "precision"
"""Parameter of a served configuration: what the plan computes in. What is served by no plan has none."""
CANVAS_FILE: Final = "golden_on_canvas.npz"
"""Beside the golden outputs of a restyler: what comes when its network is given one size, as a plan is."""
_CANVAS_PARAMETER: Final = "canvas"
_ANY_SIZE: Final = "0"


@dataclass(frozen=True)
class PlanGolden:
    """A known input of a model that a plan serves, and the answer it must give."""

    pair: Golden
    limits: tuple[Limit, ...]

    def check(self, outputs: Tensors) -> None:
        """Compare a plan's answer with the golden one.

        Args:
            outputs: output name -> array with the batch first.

        Raises:
            GoldenMismatch: an output is missing, has another shape, is not finite, or breaks a limit.
        """
        measured = deltas(self.limits, ["golden"], [self.pair.corners(outputs)], [self.pair.answers])
        lost = next((delta for delta in measured if not delta.holds), None)
        if lost:
            name = self.pair.manifest.name
            what = f"{lost.metric} of {lost.value:.4g}, and {lost.most:g} is the most"
            raise GoldenMismatch(f"{name}: output {lost.output!r} has a {what} on the golden input", field=name)


def as_served(pair: Golden, parameters: Mapping[str, str]) -> Golden | PlanGolden:
    """Return the golden pair of a model as a server serves it.

    Args:
        pair: as it was recorded.
        parameters: of the configuration that the server says it has.
    """
    if PRECISION_PARAMETER in parameters:
        return PlanGolden(pair, _profiles()[pair.manifest.name].limits)
    if parameters.get(_CANVAS_PARAMETER, _ANY_SIZE) != _ANY_SIZE:
        return replace(pair, answers=_on_canvas(pair.manifest.name))
    return pair


@cache
def _on_canvas(model: str) -> Tensors:
    with np.load(shipped_model(model).folder / CANVAS_FILE, allow_pickle=False) as arrays:
        return dict(arrays)


@cache
def _profiles() -> Mapping[str, Profile]:
    return profiles()
