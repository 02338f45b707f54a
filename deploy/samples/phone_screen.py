"""Phone's screen to draw on: rounded shapes, text and the bar with the time. Lengths are in pixels of the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from deploy.samples.lettering import Weight, font, wrapped
from deploy.samples.sources import Pixels

WIDTH: Final = 1080
HEIGHT: Final = 2340
# Shapes are drawn twice as large and made smaller, so that their edges are smooth.
_FINER: Final = 2
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """The colours of an application."""

    ground: Colour
    card: Colour
    ink: Colour
    faint: Colour
    accent: Colour


LIGHT: Final = Palette((250, 250, 252), (238, 240, 246), (28, 30, 38), (124, 128, 140), (46, 110, 230))
DARK: Final = Palette((18, 19, 24), (36, 38, 46), (236, 238, 244), (150, 154, 166), (92, 190, 150))


class Screen:
    """A screenshot being drawn."""

    def __init__(self, palette: Palette, clock: str) -> None:
        self.palette = palette
        self._image = Image.new("RGB", (WIDTH * _FINER, HEIGHT * _FINER), palette.ground)
        self._draw = ImageDraw.Draw(self._image)
        self._clock = clock

    def box(self, area: Sequence[float], fill: Colour, radius: float = 0) -> None:
        """Fill a rectangle (left, top, right, bottom) with round corners."""
        self._draw.rounded_rectangle([v * _FINER for v in area], radius * _FINER, fill=fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour) -> None:
        """Fill a circle."""
        area = [v * _FINER for v in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.ellipse(area, fill=fill)

    def path(self, points: Sequence[tuple[float, float]], fill: Colour, width: float) -> None:
        """Draws a line through points, with round joints and ends."""
        scaled = [(x * _FINER, y * _FINER) for x, y in points]
        self._draw.line(scaled, fill=fill, width=int(width * _FINER), joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, fill)

    def area(self, points: Sequence[tuple[float, float]], fill: Colour) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * _FINER, y * _FINER) for x, y in points], fill=fill)

    def write(
        self, x: float, y: float, text: str, size: int, *, weight: Weight = "Regular", ink: Colour | None = None,
        align: float = 0.0,
    ) -> None:  # fmt: skip
        """Write one line at its upper edge; `align` is 0 to start at x, 0.5 to be centred on it, 1 to end there."""
        face = font(weight, size * _FINER)
        x = x * _FINER - align * self._draw.textlength(text, font=face)
        self._draw.text((x, y * _FINER), text, font=face, fill=ink or self.palette.ink)

    def wide(self, text: str, size: int, weight: Weight = "Regular") -> float:
        """Return how wide a line is."""
        return self._draw.textlength(text, font=font(weight, size * _FINER)) / _FINER

    def wrapped(self, text: str, size: int, room: float, weight: Weight = "Regular") -> list[str]:
        """Break a text into lines that fit."""
        return wrapped(text, font(weight, size * _FINER), room * _FINER)

    def shaded(self, area: tuple[int, int, int, int], top: Colour, bottom: Colour) -> None:
        """Fill a rectangle with a shade from top to bottom."""
        left, upper, right, lower = (v * _FINER for v in area)
        share = np.linspace(0, 1, lower - upper, dtype=np.float32)[:, None, None]
        rows = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share
        shade = np.broadcast_to(rows, (lower - upper, right - left, 3)).astype(np.uint8)
        self._image.paste(Image.fromarray(np.ascontiguousarray(shade)), (left, upper))

    def picture(self, pixels: Pixels, area: tuple[int, int, int, int], radius: int = 0) -> None:
        """Show a picture, cut to a rectangle with round corners."""
        left, top, right, bottom = (v * _FINER for v in area)
        height, width = pixels.shape[:2]
        scale = min(width / (right - left), height / (bottom - top))
        wide, high = (right - left) * scale, (bottom - top) * scale
        box = ((width - wide) / 2, (height - high) / 2, (width + wide) / 2, (height + high) / 2)
        cut = Image.fromarray(pixels).resize((right - left, bottom - top), Image.Resampling.LANCZOS, box=box)
        mask = Image.new("L", cut.size, 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, *cut.size), radius * _FINER, fill=255)
        self._image.paste(cut, (left, top), mask)

    def shot(self, ink: Colour | None = None) -> Pixels:
        """Add the bars that every screen has, and take the picture: UINT8 RGB [2340, 1080, 3]."""
        ink = ink or self.palette.ink
        self.write(64, 34, self._clock, 40, weight="Semibold", ink=ink)
        for number in range(4):
            left = 848 + number * 15
            self.box((left, 66 - number * 8, left + 10, 76), ink, 3)
        self.box((934, 42, 1006, 76), ink, 10)
        self.box((938, 46, 1002, 72), self._at(970, 30), 7)
        self.box((941, 49, 986, 69), ink, 5)
        self.box((1009, 52, 1014, 66), ink, 2)
        self.box((390, HEIGHT - 34, 690, HEIGHT - 24), ink, 5)
        return np.asarray(self._image.resize((WIDTH, HEIGHT), Image.Resampling.BOX))

    def _at(self, x: int, y: int) -> Colour:
        red, green, blue = np.asarray(self._image)[y * _FINER, x * _FINER]
        return int(red), int(green), int(blue)
