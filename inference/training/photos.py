"""Photos, paintings and drawings from folders, split so that no picture is both learnt from and measured with."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from inference.vision.pictures import Picture

_SUFFIXES: Final = {".jpg", ".jpeg", ".png", ".webp"}
_SHORTEST_SIDE: Final = 160
_LONGEST_SIDE: Final = 720


def photo_files(folder: Path) -> Iterator[Path]:
    """Return the pictures below a folder that are large enough, in the order of their names."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES and path.is_file():
            with Image.open(path) as image:
                if min(image.size) >= _SHORTEST_SIDE:
                    yield path


def fold_of(path: Path, folds: int) -> int:
    """Return the fold a picture belongs to; the pieces of one painting and the two views of one thing stay together."""
    family = path.stem.lower().rstrip("0123456789-_lr").removesuffix("_left").removesuffix("_right")
    return hashlib.sha256(f"{path.parent.name}/{family}".encode()).digest()[0] % folds


def read_photo(path: Path, ground: Picture) -> Picture:
    """Read a picture, at most 720 pixels long; what is transparent shows the ground.

    Args:
        path: the file.
        ground: UINT8 RGB, stretched behind the picture.
    """
    with Image.open(path) as image:
        image.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
        opened = image.convert("RGBA")
    opened.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    behind = Image.fromarray(ground).resize(opened.size).convert("RGBA")
    behind.alpha_composite(opened)
    return np.asarray(behind.convert("RGB"))
