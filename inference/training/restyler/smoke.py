"""Smoke test of the training: twenty steps on drawn photos; the loss falls, and the export agrees."""

import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
import torch
from PIL import Image

from inference.training.restyler.data import Crops, photo_files, render
from inference.training.restyler.export import export
from inference.training.restyler.network import Shape, VelocityNetwork
from inference.training.restyler.styles import STYLES
from inference.training.restyler.train import Recipe, begin, read_average, save, train

_STEPS: Final = 20
_AGREES: Final = 0.02


class SmokeFailed(Exception):
    """Training does not do what it should."""


def smoke() -> str:
    """Run it all in small, in a folder that goes away.

    Returns:
        What was seen, in one line.

    Raises:
        SmokeFailed: the loss did not fall, a checkpoint lost something, or the ONNX file says something else.
    """
    with tempfile.TemporaryDirectory(prefix="pellicule-training-") as scratch:
        return _smoke(Path(scratch))


def _smoke(scratch: Path) -> str:
    _draw(scratch / "photos")
    for _ in render(photo_files(scratch / "photos"), scratch / "paintings", 2, 192, 7):
        pass
    recipe = Recipe(batch=4, side=64, iterations=_STEPS, warm_up=5, weights=(1.0,) * len(STYLES), compiled=False)
    shape = Shape(styles=len(STYLES), width=24, depth_width=32, blocks=(1, 1, 1), embedding=32)
    state, checkpoint = begin(shape, recipe), scratch / "checkpoint.pt"
    crops = Crops(scratch / "paintings", recipe.side, np.array(recipe.weights))
    losses = [row.loss for row in train(state, crops, recipe, lambda: save(state, shape, checkpoint), report_every=5)]
    if not losses[-1] < losses[0]:
        raise SmokeFailed(f"the loss did not fall in {_STEPS} steps: {losses[0]:.3f}, then {losses[-1]:.3f}")
    off = _disagreement(read_average(checkpoint), scratch / "restyler.onnx")
    if off > _AGREES:
        raise SmokeFailed(f"the ONNX file is off by {off:.3g} from the network")
    return f"{_STEPS} steps: loss {losses[0]:.3f} -> {losses[-1]:.3f}; ONNX within {off:.2g} of PyTorch"


def _draw(folder: Path) -> None:
    folder.mkdir()
    random = np.random.default_rng(3)
    for index in range(2):
        patches = Image.fromarray(random.integers(0, 255, (6, 8, 3), np.uint8))
        patches.resize((320, 240), Image.Resampling.BICUBIC).save(folder / f"{index}.png")


def _disagreement(network: VelocityNetwork, path: Path) -> float:
    """Return the largest difference between PyTorch and ONNX Runtime on another size than was exported."""
    export(network, path)
    random = torch.Generator().manual_seed(1)
    x, photo = (torch.randn(2, 3, 72, 40, generator=random) for _ in range(2))
    t, style = torch.tensor([1.0, 0.5]), torch.tensor([0, len(STYLES) - 1])
    with torch.no_grad():
        expected = network(x, photo, t, style).numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    inputs = {"x": x.numpy(), "photo": photo.numpy(), "t": t.numpy(), "style": style.numpy()}
    return float(np.abs(session.run(["v"], inputs)[0] - expected).max())
