"""Styles, in the order in which the network numbers them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.training.restyler.painters import (
    chalk,
    linocut,
    mosaic,
    oil,
    pencil,
    pointillism,
    popart,
    watercolour,
)

Painter = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]
"""Paints UINT8 RGB [H, W, 3] with the chance of a standard normal FP32 [H, W, 3]."""

STYLES: Final[Mapping[str, Painter]] = MappingProxyType(
    {
        "oil": oil.paint,
        "watercolour": watercolour.paint,
        "pencil": pencil.paint,
        "pointillism": pointillism.paint,
        "linocut": linocut.paint,
        "pop-art": popart.paint,
        "mosaic": mosaic.paint,
        "chalk": chalk.paint,
    }
)
