"""Recorded outputs of an operator's model: read where a server that serves it has to be known."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from inference.model_build.golden import Golden, golden_inputs
from inference.model_build.manifest import Manifest, Output, shipped_model

GOLDEN_FILE: Final = "golden.npz"
SHAPE: Final = "__shape"
"""Ends the name under which the lengths of an output are kept beside it."""
_TOLERANCE: Final = 0.01
_TOLERANCES: Final = {"boxes": 0.5, "landmarks": 0.5, "picture": 8.0}


def recorded_golden(model: str, path: Path) -> Golden:
    """Return the golden pair of an operator's model.

    Args:
        model: the name under which it is served.
        path: the answers that were kept.
    """
    manifest = shipped_model(model).manifest
    with np.load(path, allow_pickle=False) as arrays:
        answers = {name: arrays[name] for name in arrays.files if not name.endswith(SHAPE)}
        shapes = {name: tuple(arrays[name + SHAPE].tolist()) for name in answers}
    return Golden(manifest, golden_inputs(manifest), answers, _outputs(manifest, shapes))


def _outputs(manifest: Manifest, shapes: Mapping[str, tuple[int, ...]]) -> tuple[Output, ...]:
    """Return the outputs as the operator's model has them, with the tolerances that half precision needs."""
    known = {output.name: output for output in manifest.outputs}
    return tuple(
        known[name].model_copy(
            update={
                "shape": shape,
                "absolute_tolerance": _TOLERANCES.get(name, _TOLERANCE),
                "relative_tolerance": _TOLERANCE,
            }
        )
        for name, shape in shapes.items()
    )
