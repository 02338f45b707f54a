"""Paints with the shipped ONNX file exactly as it is served: the same sampler, the same noise."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.restyling.assembly import FlowRestylerFiles
from inference.restyling.diffusion.noise import Noise
from inference.restyling.diffusion.opening import Restyler
from inference.restyling.diffusion.request import RestyleRequest
from inference.restyling.local import open_local
from inference.training.restyler.styles import STYLES

SHIPPED: Final = Path(__file__).parents[2] / "models" / "restyler" / "restyler.onnx"


class Studio:
    """Paints photos in every style.

    Args:
        velocity: the ONNX file.
        steps: of each painting.
        threads: of the processor.
    """

    def __init__(self, velocity: Path = SHIPPED, *, steps: int = 4, threads: int = 2) -> None:
        self._restyler: Restyler = open_local(FlowRestylerFiles(velocity, tuple(STYLES)), threads=threads)
        self._steps = steps

    def paint(self, photo: NDArray[np.uint8], style: str, *, seed: int, strength: float = 1.0) -> NDArray[np.uint8]:
        """Paints one photo, UINT8 RGB [H, W, 3] of the same size."""
        number = list(STYLES).index(style)
        request = RestyleRequest(photo, number, self._steps, strength, seed)
        return self._restyler.restyle(request, lambda: False)


def chance(seed: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the noise from which a seed is painted, as painters take it: FP32 [H, W, 3]."""
    return np.ascontiguousarray(Noise(seed).draw((1, 3, *shape[:2]))[0].transpose(1, 2, 0))
