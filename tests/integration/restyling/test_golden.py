"""The restyler is known by its painted picture on both processors, though a plan paints another one."""

import numpy as np
import pytest

from inference.engines.proof import as_served
from inference.model_build.errors import GoldenMismatch
from inference.model_build.golden import golden
from inference.model_build.manifest import shipped_model
from inference.restyling.assembly import NAME, FlowRestylerFiles
from inference.restyling.local import served_answer

ON_A_CPU, ON_A_GPU = {"canvas": "0"}, {"canvas": "1024"}


@pytest.fixture(scope="module")
def painted() -> dict[int, dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]]:
    """Paint the golden photo for each size that the network is given; from 256 on all give the same."""
    model = shipped_model(NAME)
    files = FlowRestylerFiles(model.folder / "restyler.onnx", model.manifest.styles)
    return {canvas: served_answer(files, golden(model).inputs, canvas=canvas) for canvas in (0, 256)}


def test_each_processor_is_known_by_its_own_picture(
    painted: dict[int, dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]],
) -> None:
    pair = golden(shipped_model(NAME))

    as_served(pair, ON_A_CPU).check(painted[0])
    as_served(pair, ON_A_GPU).check(painted[256])
    with pytest.raises(GoldenMismatch):
        as_served(pair, ON_A_CPU).check(painted[256])
    with pytest.raises(GoldenMismatch):
        as_served(pair, ON_A_GPU).check(painted[0])
