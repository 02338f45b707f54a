"""Surface that drawn papers and screens share: words, boxes and photos, set from top to bottom."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from inference.training.typefaces import Typefaces, fitted, words
from inference.vision.pictures import Picture

Rng = np.random.Generator
Colour = tuple[int, int, int]
Area = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Surface:
    """A sheet or a screen being drawn, in one font of each style."""

    def __init__(self, rng: Rng, faces: Typefaces, size: tuple[int, int], ground: Colour, ink: Colour) -> None:
        self.rng, self.ground, self.ink = rng, ground, ink
        self.width, self.height = size
        self.image = Image.new("RGB", size, ground)
        self.draw = ImageDraw.Draw(self.image)
        self.margin, self.y = 14.0, 0.0
        self._faces = faces.narrowed(rng)

    @property
    def room(self) -> float:
        """Pixels left above the lower margin."""
        return self.height - self.margin - self.y

    @property
    def right(self) -> float:
        """The right margin."""
        return self.width - self.margin

    def chance(self, share: float) -> bool:
        """Return whether something happens that happens in a share of all cases."""
        return bool(self.rng.random() < share)

    def colour(self, low: int = 30, high: int = 235) -> Colour:
        """Return a colour, lively unless the bounds say otherwise."""
        red, green, blue = self.rng.integers(low, high, 3).tolist()
        return red, green, blue

    def words(self, most: int, fewest: int = 1) -> str:
        """Return a run of words."""
        return words(self.rng, int(self.rng.integers(fewest, most + 1)))

    def text(
        self, text: str, size: float, style: str = "sans", *,
        left: float | None = None, right: float | None = None, align: float = 0.0, ink: Colour | None = None,
    ) -> None:  # fmt: skip
        """Write a line at the current height, cut to its room; `align` is 0 at the left, 1 at the right."""
        left, right = self.margin if left is None else left, self.right if right is None else right
        font = self._faces.pick(self.rng, size, style)
        text = fitted(text, right - left, font)
        free = right - left - font.getlength(text)
        self.draw.text((left + align * free, self.y), text, font=font, fill=ink or self.ink)

    def lines(
        self, count: int, size: float, style: str = "sans", *,
        left: float | None = None, right: float | None = None, ink: Colour | None = None,
    ) -> None:  # fmt: skip
        """Write a paragraph, its last line shorter."""
        left, right = self.margin if left is None else left, self.right if right is None else right
        for number in range(count):
            if self.room < size:
                return
            reach = self.rng.uniform(0.3, 0.9) if number == count - 1 else self.rng.uniform(0.9, 1)
            most = int((right - left) / size * 0.6) + 3
            text = self.words(most, most)
            self.text(text, size, style, left=left, right=left + reach * (right - left), ink=ink)
            self.y += size * 1.42

    def box(self, area: Area, fill: Colour | None = None, outline: Colour | None = None, radius: float = 0) -> None:
        """Draw a rectangle with round corners."""
        self.draw.rounded_rectangle(area, radius, fill=fill, outline=outline)

    def rule(self, left: float | None = None, ink: Colour | None = None, thickness: int = 1) -> None:
        """Draw a line across at the current height."""
        start = self.margin if left is None else left
        self.draw.line((start, self.y, self.right, self.y), fill=ink or self.ink, width=thickness)

    def photo(self, area: Area, photos: Sequence[Picture]) -> None:
        """Paste a photo, cropped to an area."""
        size = max(4, int(area[2] - area[0])), max(4, int(area[3] - area[1]))
        picture = Image.fromarray(photos[self.rng.integers(len(photos))])
        self.image.paste(ImageOps.fit(picture, size, Image.Resampling.BOX), (int(area[0]), int(area[1])))
