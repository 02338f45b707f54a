"""Pictures of the smoke test: screenshots, drawn.

A phone knows its own screenshots, so what the models think of them does not matter, and three of them are an idea: to
tidy up.
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

COUNT = 4
_SIZE = (720, 1280)
_GROUNDS = ("#f4f1ea", "#1f2430", "#e8f2ec", "#30262b")
_INKS = ("#2b2b2b", "#e9ecf3", "#1d4032", "#f4dfe6")
_LINES = 14


def draw(folder: Path, run: str) -> list[Path]:
    """Draw the screenshots into a folder; another run's have other bytes."""
    return [_screenshot(folder, number, run) for number in range(COUNT)]


def _screenshot(folder: Path, number: int, run: str) -> Path:
    image = Image.new("RGB", _SIZE, _GROUNDS[number])
    brush = ImageDraw.Draw(image)
    font = ImageFont.load_default(36)
    for line in range(_LINES):
        top = 80 + 84 * line
        width = 200 + (line * 97 + number * 131) % 440
        brush.rounded_rectangle((40, top, 40 + width, top + 60), 18, outline=_INKS[number], width=3)
        brush.text((60, top + 8), f"{run} {number}.{line}", font=font, fill=_INKS[number])
    path = folder / f"Screenshot_{number}.png"
    image.save(path)
    return path
