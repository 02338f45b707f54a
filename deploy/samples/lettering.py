"""Fonts that papers and screens are written with; both come with installed packages."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Final, Literal

from PIL import ImageFont

from deploy.samples.errors import SourcesMissing

Weight = Literal["Light", "Regular", "Semibold", "Bold", "Mono", "MonoBold", "Serif", "SerifBold"]
_SANS: Final = ("font_source_sans_pro", "files/SourceSansPro-{}.ttf")
_FILES: Final[dict[str, tuple[str, str]]] = {
    "Mono": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono.ttf"),
    "MonoBold": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono-Bold.ttf"),
    "Serif": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSerif.ttf"),
    "SerifBold": ("matplotlib", "mpl-data/fonts/ttf/DejaVuSerif-Bold.ttf"),
}


@cache
def font(weight: Weight, size: int) -> ImageFont.FreeTypeFont:
    """Return a font of a size in pixels.

    Raises:
        SourcesMissing: the package that ships it is not installed.
    """
    package, path = _FILES.get(weight, (_SANS[0], _SANS[1].format(weight)))
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.origin:
        raise SourcesMissing(f"{package} is not installed; install pellicule with its extra `samples`")
    return ImageFont.truetype(str(Path(spec.origin).parent / path), size)


def wrapped(text: str, face: ImageFont.FreeTypeFont, room: float) -> list[str]:
    """Break a text into lines that fit."""
    rows = [""]
    for word in text.split(" "):
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and face.getlength(longer) > room:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows
