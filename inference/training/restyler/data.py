"""Training data of the restyler: photos, painted by every painter with one field of noise each."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inference.training.restyler.painters.popart import SCREEN_PERIOD
from inference.training.restyler.styles import STYLES

_SUFFIXES: Final = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Crop:
    """One example.

    Attributes:
        photo: UINT8 RGB [side, side, 3].
        painting: the photo in one style, the same shape.
        noise: FP32 [side, side, 3]: the chance that the painter had.
        style: the style's number.
    """

    photo: NDArray[np.uint8]
    painting: NDArray[np.uint8]
    noise: NDArray[np.float32]
    style: int


def photo_files(folder: Path) -> list[Path]:
    """Return the pictures below a folder, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)


def read_photo(path: Path, long_side: int) -> NDArray[np.uint8]:
    """Read a photo on white, `long_side` pixels long, with sides cut to multiples of 8; UINT8 RGB [H, W, 3]."""
    with Image.open(path) as image:
        opened = image.convert("RGBA")
    sheet = Image.new("RGBA", opened.size, "white")
    sheet.alpha_composite(opened)
    scale = long_side / max(sheet.size)
    width, height = (max(8, round(side * scale) // 8 * 8) for side in sheet.size)
    return np.asarray(sheet.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))


def varied(photo: NDArray[np.uint8], chance: np.random.Generator, long_side: int) -> NDArray[np.uint8]:
    """Return a part of a photo, perhaps mirrored, in another light, at another scale; sides are multiples of 8."""
    height, width = photo.shape[:2]
    part = chance.uniform(0.55, 1.0)
    tall, wide = int(height * part), int(width * part)
    top, left = chance.integers(0, height - tall + 1), chance.integers(0, width - wide + 1)
    cut = photo[top : top + tall, left : left + wide]
    scale = long_side * chance.uniform(0.8, 1.15) / max(tall, wide)
    size = (max(160, round(wide * scale) // 8 * 8), max(160, round(tall * scale) // 8 * 8))
    sized = cv2.resize(cut, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    turned = sized[:, ::-1] if chance.random() < 0.5 else sized
    light = 255 * (turned / 255.0) ** chance.uniform(0.75, 1.3) * chance.uniform(0.92, 1.06, 3)
    return np.clip(np.rint(light), 0, 255).astype(np.uint8)


def paint_all(photo: NDArray[np.uint8], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Paints a photo in every style.

    Returns:
        The photo and its paintings, UINT8 [1 + styles, H, W, 3], and the noise they share, FP16 [H, W, 3].
    """
    noise = np.random.default_rng(seed).standard_normal(photo.shape).astype(np.float16)
    chance = noise.astype(np.float32)
    return np.stack([photo, *(paint(photo, chance) for paint in STYLES.values())]), noise


def render(photos: list[Path], folder: Path, count: int, long_side: int, seed: int) -> Iterator[Path]:
    """Write `count` painted photos into a folder, those that are there already excepted; yield each when it is there.

    The n-th is always the same one, whatever was rendered before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        path = folder / f"{index:05d}.npy"
        if not path.exists():
            chance = np.random.default_rng([seed, index])
            chosen = photos[
                int(np.random.default_rng([seed, index // len(photos)]).permutation(len(photos))[index % len(photos)])
            ]
            pictures, noise = paint_all(varied(read_photo(chosen, 1024), chance, long_side), seed * 1_000_003 + index)
            np.save(folder / f"{index:05d}.noise", noise)
            part = folder / f"{index:05d}.part.npy"
            np.save(part, pictures)
            part.replace(path)
        yield path


class Crops:
    """Crops at random out of painted photos; photos that are rendered meanwhile come in as they appear."""

    def __init__(self, folder: Path, side: int, weights: NDArray[np.float64]) -> None:
        self._folder, self._side, self._weights = folder, side, weights / weights.sum()
        self._sheets: list[tuple[NDArray[np.uint8], NDArray[np.float16]]] = []
        self._known: set[str] = set()
        self.refresh()

    def __len__(self) -> int:
        return len(self._sheets)

    def refresh(self) -> None:
        """Look for newly painted photos."""
        for path in sorted(self._folder.glob("[0-9][0-9][0-9][0-9][0-9].npy")):
            if path.name not in self._known:
                self._known.add(path.name)
                noise = np.load(path.with_suffix(".noise.npy"), mmap_mode="r")
                self._sheets.append((np.load(path, mmap_mode="r"), noise))

    def draw(self, chance: np.random.Generator) -> Crop:
        """One crop of one photo in one style; it begins where the printer's screen begins."""
        pictures, noise = self._sheets[int(chance.integers(len(self._sheets)))]
        style = int(chance.choice(len(self._weights), p=self._weights))
        top, left = (
            SCREEN_PERIOD * int(chance.integers((length - self._side) // SCREEN_PERIOD + 1))
            for length in pictures.shape[1:3]
        )
        window = np.s_[top : top + self._side, left : left + self._side]
        return Crop(
            np.ascontiguousarray(pictures[0][window]),
            np.ascontiguousarray(pictures[1 + style][window]),
            np.ascontiguousarray(noise[window]).astype(np.float32),
            style,
        )
