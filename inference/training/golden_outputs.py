"""Recorder of the golden outputs of the shipped models, after a conversion was proven by other means.

    python -m inference.training.golden_outputs

Run it only when a recipe or its weights change on purpose: the answers are what every later build must give.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import onnx

from inference.engines.proof import CANVAS_FILE
from inference.model_build.conversion.recipes import RECIPES
from inference.model_build.golden import GOLDEN_FILE, golden_inputs
from inference.model_build.manifest import Model, shipped_models
from inference.model_build.sessions import ModelSession
from inference.model_build.sources import read_weights
from inference.restyling.assembly import FlowRestylerFiles
from inference.restyling.local import served_answer

# The drawn faces give four candidates above 0.4; the others are noise whose order means nothing.
CLEAR_CANDIDATES: Final = 4
# From 256 on the same picture comes of every canvas: what is mirrored further away is not seen from the photo.
CANVAS_SIDE: Final = 512


def record(model: Model) -> None:
    """Convert a model afresh, run it on the golden input and keep the outputs beside its manifest."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        weights = [read_weights(each) for each in (model, *model.parts)]
        onnx.save(RECIPES[model.manifest.recipe](*weights), str(path))
        outputs = ModelSession(path).run(golden_inputs(model.manifest.graph))
        if model.manifest.network:
            files = FlowRestylerFiles(path, model.manifest.styles)
            inputs = golden_inputs(model.manifest)
            outputs |= served_answer(files, inputs)
            np.savez_compressed(model.folder / CANVAS_FILE, **served_answer(files, inputs, canvas=CANVAS_SIDE))
    if model.manifest.slot == "face_detector":
        outputs = {name: array[:, :CLEAR_CANDIDATES] for name, array in outputs.items()}
    np.savez_compressed(model.folder / GOLDEN_FILE, **outputs)


if __name__ == "__main__":
    for each in shipped_models():
        if not sys.argv[1:] or each.name in sys.argv[1:]:
            record(each)
