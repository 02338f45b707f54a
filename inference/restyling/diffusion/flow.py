"""Samples a picture from a rectified flow.

Between the painted picture (t = 0) and noise (t = 1) lie straight lines, x_t = (1 - t) * picture + t * noise; the
network knows their direction, dx/dt, and Euler's method goes back along them.
Source: Liu et al., Flow Straight and Fast, ICLR 2023; Lipman et al., Flow Matching, ICLR 2023.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from .canvas import cropped, mirrored, to_picture, to_signal
from .errors import NetworkFailed, PictureTooLarge, RestylingCancelled
from .noise import Noise
from .request import Array, Picture, RestyleRequest, Run, Stopped, check_request

GRAPH: Final = "velocity"
SIDE_MULTIPLE: Final = 8
"""The network halves both sides three times."""


class FlowRestyler:
    """Restyles with one network that tells the velocity.

    Args:
        run: runs the graph `velocity`: x, photo FP32 [1, 3, H, W], t FP32 [1], style INT64 [1] -> v [1, 3, H, W].
        styles: the names of the styles, by index.
        canvas: the only side that the graph takes, in pixels; 0 for every multiple of 8.
    """

    def __init__(self, run: Run, styles: Sequence[str], *, canvas: int = 0) -> None:
        self._run = run
        self._canvas = canvas
        self.styles = tuple(styles)

    def restyle(self, request: RestyleRequest, stopped: Stopped) -> Picture:
        """Paints one photo anew.

        Args:
            request: what is asked.
            stopped: asked before each step.

        Returns:
            UINT8, as large as the photo.

        Raises:
            RequestRefused: it cannot be restyled.
            RestylingCancelled: no caller waits any more.
            NetworkFailed: the network's answer is no picture.
        """
        check_request(request, self.styles)
        height, width = request.photo.shape[:2]
        photo = to_signal(request.photo)
        # Noise is drawn for the photo alone: what is added at its edges must not change what is in it.
        x = self._padded(begin(photo, Noise(request.seed), request.strength))
        photo = self._padded(photo)
        for now, then in pairwise(times(request.steps, request.strength)):
            look(stopped)
            x += np.float32(then - now) * self._velocity(x, photo, now, request.style)
        return to_picture(cropped(x, height=height, width=width))

    def _padded(self, signal: Array) -> Array:
        height, width = signal.shape[-2:]
        if not self._canvas:
            return mirrored(signal, height=height + -height % SIDE_MULTIPLE, width=width + -width % SIDE_MULTIPLE)
        if max(height, width) > self._canvas:
            raise PictureTooLarge(
                f"the photo is {width} x {height} px; here each side may have {self._canvas} px", field="photo"
            )
        return mirrored(signal, height=self._canvas, width=self._canvas)

    def _velocity(self, x: Array, photo: Array, time: float, style: int) -> Array:
        answer = self._run(
            GRAPH, {"x": x, "photo": photo, "t": np.array([time], np.float32), "style": np.array([style], np.int64)}
        )["v"]
        if answer.shape != x.shape:
            raise NetworkFailed(f"the velocity is {list(answer.shape)}, x is {list(x.shape)}", field="v")
        return finite(answer.astype(np.float32, copy=False), f"the velocity at t = {time:.3g}")


def times(steps: int, strength: float) -> tuple[float, ...]:
    """Return the `steps + 1` times at which the picture is looked at: evenly from the strength down to 0."""
    return tuple(strength * (1 - step / steps) for step in range(steps + 1))


def begin(photo: Array, noise: Noise, strength: float) -> Array:
    """Return where sampling begins: noise, with as much of the photo in it as the strength leaves."""
    drawn = noise.draw(photo.shape)
    return np.float32(1 - strength) * photo + np.float32(strength) * drawn


def look(stopped: Stopped) -> None:
    """End the work when no caller waits for it.

    Raises:
        RestylingCancelled: none does.
    """
    if stopped():
        raise RestylingCancelled("the caller does not wait any more", field="request")


def finite(values: Array, what: str) -> Array:
    """Return values that are numbers.

    Raises:
        NetworkFailed: some are not.
    """
    if not np.isfinite(values).all():
        raise NetworkFailed(
            f"{what} is not finite: the weights are broken, or half precision overflows; try FP32 or BF16", field="v"
        )
    return values
