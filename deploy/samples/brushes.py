"""Soft shapes on a canvas of light: what the drawn party pictures are painted with. Positions are in pixels."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy.samples.developing import Scene

Mask = NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float]


def canvas(width: int, height: int, top: Colour, bottom: Colour) -> Scene:
    """Returns a canvas, FLOAT RGB 0..255 [height, width, 3], shaded from top to bottom."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    shade = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share
    return np.ascontiguousarray(np.broadcast_to(shade, (height, width, 3)), np.float32)


@dataclass(frozen=True)
class Patch:
    """A part of a canvas, so that a small shape costs little.

    Attributes:
        area: the pixels, a view of the canvas.
        x: column of each pixel.
        y: row of each pixel.
    """

    area: Scene
    x: Mask
    y: Mask

    def cover(self, mask: Mask, colour: Scene | Colour) -> None:
        """Paints over, as far as the mask (0..1) covers."""
        self.area[:] = self.area + (np.asarray(colour, np.float32) - self.area) * mask[..., None]

    def shine(self, mask: Mask, colour: Colour) -> None:
        """Adds light."""
        self.area[:] = self.area + np.asarray(colour, np.float32) * mask[..., None]


def patch(scene: Scene, middle: Point, reach: Point) -> Patch:
    """Returns the part of a canvas around a point, up to a distance to either side."""
    height, width = scene.shape[:2]
    left, right = (int(np.clip(middle[0] + side * reach[0], 0, width)) for side in (-1, 1))
    top, bottom = (int(np.clip(middle[1] + side * reach[1], 0, height)) for side in (-1, 1))
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    return Patch(scene[top:bottom, left:right], x, y)


def ellipse(x: Mask, y: Mask, middle: Point, radii: Point, soft: float = 1.5) -> Mask:
    """Returns 1 inside an ellipse and 0 outside; its edge is as soft as so many pixels."""
    distance = np.sqrt(((x - middle[0]) / radii[0]) ** 2 + ((y - middle[1]) / radii[1]) ** 2)
    return np.asarray(np.clip((1 - distance) * min(radii) / soft + 0.5, 0, 1), np.float32)


def glow(scene: Scene, middle: Point, radius: float, colour: Colour) -> None:
    """Adds a round glow that is `colour` bright in its middle."""
    part = patch(scene, middle, (radius * 3, radius * 3))
    square = ((part.x - middle[0]) ** 2 + (part.y - middle[1]) ** 2) / radius**2
    part.shine(np.exp(-square).astype(np.float32), colour)


def bokeh(scene: Scene, middle: Point, radius: float, colour: Colour) -> None:
    """Adds a point of light that is far out of focus: a disc with a brighter rim."""
    part = patch(scene, middle, (radius * 1.3, radius * 1.3))
    disc = ellipse(part.x, part.y, middle, (radius, radius), 3)
    distance = np.hypot(part.x - middle[0], part.y - middle[1]) / radius
    part.shine(disc * (0.65 + 0.35 * np.clip(distance, 0, 1) ** 4).astype(np.float32), colour)


def ball(scene: Scene, middle: Point, radius: float, colour: Colour, light: Point = (-0.35, -0.6)) -> None:
    """Paints a small matt ball, lit from a side."""
    part = patch(scene, middle, (radius * 1.2, radius * 1.2))
    u, v = (part.x - middle[0]) / radius, (part.y - middle[1]) / radius
    depth = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    shade = np.clip(0.42 + 0.4 * depth + 0.42 * (u * light[0] + v * light[1]), 0.15, 1.25)
    part.cover(ellipse(part.x, part.y, middle, (radius, radius)), np.asarray(colour, np.float32) * shade[..., None])


def bloomed(scene: Scene, threshold: float, radius: float, amount: float) -> Scene:
    """Lets bright parts spill over, as they do in a lens."""
    bright = np.clip(scene - threshold, 0, None)
    small = cv2.resize(bright, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    spill = cv2.resize(cv2.GaussianBlur(small, (0, 0), radius / 4), scene.shape[1::-1])
    return np.asarray(scene + spill * amount, np.float32)


def vignetted(scene: Scene, amount: float) -> Scene:
    """Darkens the corners."""
    height, width = scene.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(scene * (1 - amount * ((x * x + y * y) / 2)[..., None] ** 1.5), np.float32)
