"""Restyles in this process, with ONNX Runtime alone: the second opinion on what a server answers, and its limit."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.model_build.sessions import ModelSession
from inference.restyling.assembly import FlowRestylerFiles, RestylerFiles
from inference.restyling.diffusion.flow import FlowRestyler, times
from inference.restyling.diffusion.latent import GRAPHS, LatentRestyler
from inference.restyling.diffusion.latent_settings import SETTINGS_FILE, read_settings
from inference.restyling.diffusion.opening import Restyler
from inference.restyling.diffusion.request import Array, RestyleRequest
from inference.restyling.diffusion.sessions import Sessions


def open_local(files: RestylerFiles, *, threads: int, canvas: int = 0) -> Restyler:
    """Open in this process what would be served.

    Args:
        files: what fills the slot.
        threads: of one run.
        canvas: the side that a flow network is given, in pixels, as a plan is; 0 for the photo's own.

    Raises:
        RestylerMisconfigured: the settings of a latent model cannot be.
    """
    if isinstance(files, FlowRestylerFiles):
        return FlowRestyler(Sessions({"velocity": files.velocity}, threads=threads), files.styles, canvas=canvas)
    settings = read_settings(files.folder / SETTINGS_FILE)
    return LatentRestyler(_sessions(files.folder, GRAPHS, threads), settings)


def _sessions(folder: Path, graphs: Sequence[str], threads: int) -> Sessions:
    return Sessions({graph: folder / f"{graph}.onnx" for graph in graphs}, threads=threads)


def served_answer(
    files: RestylerFiles, inputs: Mapping[str, NDArray[np.generic]], *, canvas: int = 0
) -> dict[str, NDArray[np.generic]]:
    """Answers as the served model does.

    Args:
        files: what fills the slot.
        inputs: the served tensors, a batch of one in front.
        canvas: the side that a flow network is given, in pixels, as a plan is; 0 for the photo's own.

    Returns:
        `picture`, UINT8 [1, H, W, 3].
    """
    request = RestyleRequest(
        photo=inputs["photo"][0].astype(np.uint8),
        style=int(inputs["style"].item()),
        steps=int(inputs["steps"].item()),
        strength=float(inputs["strength"].item()),
        seed=int(inputs["seed"].item()),
    )
    return {"picture": open_local(files, threads=1, canvas=canvas).restyle(request, lambda: False)[None]}


class BareFlow:
    """A flow network and nothing around it: no picture, no checks, no wire. The limit that serving is held against.

    Args:
        velocity: its ONNX file.
        side: of the square, in pixels.
        threads: of one run.
    """

    def __init__(self, velocity: Path, *, side: int, threads: int) -> None:
        self._session = ModelSession(velocity, threads=threads)
        generator = np.random.default_rng(0)
        self._start = generator.standard_normal((1, 3, side, side), dtype=np.float32)
        self._photo = generator.uniform(-1, 1, (1, 3, side, side)).astype(np.float32)

    def run(self, *, steps: int, style: int) -> Array:
        """Goes all steps once.

        Returns:
            FP32 [1, 3, side, side].
        """
        x = self._start.copy()
        for now, then in pairwise(times(steps, 1.0)):
            inputs = {"x": x, "photo": self._photo, "t": np.array([now], np.float32), "style": np.array([style])}
            x += np.float32(then - now) * self._session.run(inputs)["v"].astype(np.float32, copy=False)
        return x
