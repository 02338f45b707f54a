"""A screen to draw on: its colours, its text and the photos it shows."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw

from inference.training.typefaces import Typefaces, fitted
from inference.vision.pictures import Picture

Rng = np.random.Generator
Colour = tuple[int, int, int]
Photos = Sequence[Picture]


class Screen:
    """A screen being drawn from top to bottom, light or dark, with one accent colour."""

    def __init__(self, rng: Rng, faces: Typefaces, photos: Photos, size: tuple[int, int]) -> None:
        self.rng, self.faces, self.photos = rng, faces.narrowed(rng), photos
        self.width, self.height = size
        self.dark = rng.random() < 0.38
        tone = int(rng.integers(8, 44) if self.dark else rng.integers(238, 256))
        self.ground: Colour = (tone, tone, min(255, tone + int(rng.integers(0, 5))))
        self.ink: Colour = (232, 232, 236) if self.dark else (22, 22, 26)
        self.faint: Colour = (140, 140, 146)
        step = 22 if self.dark else -13
        self.card: Colour = (tone + step, tone + step, tone + step)
        self.accent = self.colour()
        self.image = Image.new("RGB", size, self.ground)
        self.draw = ImageDraw.Draw(self.image)
        self.scale = float(rng.uniform(0.8, 1.6))
        self.y = 0.0

    def colour(self) -> Colour:
        """A lively colour."""
        red, green, blue = self.rng.integers(30, 235, 3).tolist()
        return red, green, blue

    def text(self, x: float, y: float, text: str, size: float, fill: Colour | None = None, style: str = "sans") -> None:
        """Writes one line, cut at the right edge."""
        font = self.faces.pick(self.rng, size * self.scale, style)
        self.draw.text((x, y), fitted(text, self.width - 6 - x, font), font=font, fill=fill or self.ink)

    def photo(self, left: float, top: float, wide: float, high: float) -> None:
        """Pastes a photo, cropped to the shape asked for."""
        picture = self.photos[self.rng.integers(len(self.photos))]
        size = max(4, int(wide)), max(4, int(high))
        self.image.paste(Image.fromarray(_fill(picture, size)), (int(left), int(top)))

    @property
    def left(self) -> bool:
        """Whether there is room below the current line."""
        return self.y < self.height - 46


def _fill(picture: Picture, size: tuple[int, int]) -> Picture:
    """Scales a picture until it covers (width, height), and cuts the rest off."""
    scale = max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    wide, high = max(size[0], round(picture.shape[1] * scale)), max(size[1], round(picture.shape[0] * scale))
    scaled = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
    left, top = (wide - size[0]) // 2, (high - size[1]) // 2
    return np.asarray(scaled[top : top + size[1], left : left + size[0]], np.uint8)
