"""Noise that is the same everywhere for the same seed.

Philox (Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011) is counted, not iterated: its bits are
specified, not an accident of a machine.
"""

import numpy as np

from .request import Array


class Noise:
    """A source of standard normal noise.

    Args:
        seed: 0..2**63-1.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.Philox(key=seed))

    def draw(self, shape: tuple[int, ...]) -> Array:
        """Draws the next noise of a shape."""
        return self._generator.standard_normal(shape, dtype=np.float32)
