"""Golden outputs of an operator's model, kept when it is installed.

A server that serves it later is known by these answers to do so rightly.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.model_build.golden import golden_inputs
from inference.model_build.manifest import shipped_model, shipped_models
from inference.restyling.diffusion.request import RestyleRequest
from inference.slots.candidate import Candidate
from inference.slots.contracts import SlotName
from inference.slots.recorded import GOLDEN_FILE, SHAPE

_SURE: Final = 0.3

Arrays = Mapping[str, NDArray[np.generic]]


def record_golden_outputs(candidate: Candidate) -> dict[str, tuple[int, ...]]:
    """Run a model on the golden input of the one that it replaces, and keep the outputs in its folder.

    Returns:
        Name of an output -> its lengths, without the batch; empty for a restyler, which leaves them as they are.
    """
    contract = candidate.contract
    if contract.slot == SlotName.RESTYLER:
        _record_picture(candidate)
        return {}
    answers = candidate.only.run(golden_inputs(shipped_model(contract.serves).manifest))
    np.savez(candidate.folder / GOLDEN_FILE, **_certain(answers))
    return {output.name: answers[output.name].shape[1:] for output in contract.graphs[0].outputs}


def _record_picture(candidate: Candidate) -> None:
    model = next((model for model in shipped_models() if model.name == candidate.contract.serves), None)
    if model is None:
        return  # a restyler has no golden input then
    inputs = golden_inputs(model.manifest)
    style, steps, seed = (int(inputs[name].item()) for name in ("style", "steps", "seed"))
    photo = inputs["photo"][0].astype(np.uint8)
    request = RestyleRequest(photo, style % len(candidate.styles), steps, float(inputs["strength"].item()), seed)
    picture = candidate.restyler().restyle(request, lambda: False)
    np.savez(candidate.folder / GOLDEN_FILE, **_certain({"picture": picture[None]}))


def _certain(answers: Arrays) -> dict[str, NDArray[np.generic]]:
    """Keep answers with their shapes; of a detector's, the sure candidates: the order of the others means nothing."""
    shapes = {f"{name}{SHAPE}": np.asarray(array.shape[1:], np.int64) for name, array in answers.items()}
    kept = dict(answers)
    if "scores" in answers:
        count = int((answers["scores"].astype(np.float64) >= _SURE).sum())
        kept = {name: array[:, :count] for name, array in answers.items()}
    return {**kept, **shapes}
