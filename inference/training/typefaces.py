"""Typefaces and words for drawn documents, receipts and screens."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import matplotlib as mpl
import numpy as np
from PIL import ImageFont

_MONO: Final = ("mono", "cousine", "hack", "inconsolata", "fira")
_HAND: Final = ("dancing", "humor", "comic")
_SERIF: Final = ("serif", "garamond", "vollkorn", "libertine", "tinos")
_UNFIT: Final = re.compile("display|symbol|cmex|cmsy|cmmi|stix|keyboard|_i[.]|initials|ocr|oblique|bolditalic")
_WORDS: Final = (
    "the of and to in is that it for was with they this from one had by but not what all were when your can said "
    "there use each which their about many then time number people water first long down day right mean same come "
    "le la les des une est dans pour que qui sur avec pas plus nous vous votre cette date objet madame monsieur "
    "facture merci rendez adresse total montant client contrat page article service compte demande suite"
)
_ITEMS: Final = (
    "Coffee Milk Bread Apples Cheese Eggs Rice Pasta Water Butter Tea Baguette Croissant Menu Salade Burger Soda "
    "Wine Soup Pizza Batteries Soap Paper Parking Jambon Lait Pain Oeufs Fromage Chocolat Sucre Farine Lessive"
)


@dataclass(frozen=True)
class Typefaces:
    """Font files by style; every style has at least one."""

    sans: Sequence[Path]
    mono: Sequence[Path]
    serif: Sequence[Path]
    hand: Sequence[Path]

    @classmethod
    def found_in(cls, *folders: Path) -> Self:
        """Sorts the fonts of folders by their names; those of matplotlib are always there."""
        own = Path(mpl.get_data_path()) / "fonts" / "ttf"
        files = sorted(
            path
            for folder in (own, *folders)
            for path in folder.rglob("*")
            if path.suffix in {".ttf", ".otf"} and not _UNFIT.search(path.name.lower())
        )
        groups: dict[str, list[Path]] = {"sans": [], "mono": [], "serif": [], "hand": []}
        for path in files:
            groups[_style(path.name.lower())].append(path)
        return cls(groups["sans"], groups["mono"], groups["serif"], groups["hand"] or groups["sans"])

    def narrowed(self, rng: np.random.Generator) -> Self:
        """One font of each style: what a single sheet uses."""
        styles = (self.sans, self.mono, self.serif, self.hand)
        return type(self)(*((files[rng.integers(len(files))],) for files in styles))

    def pick(self, rng: np.random.Generator, size: float, *styles: str) -> ImageFont.FreeTypeFont:
        """Open a font of one of the styles, in pixels."""
        style = styles[rng.integers(len(styles))] if styles else "sans"
        files: Sequence[Path] = getattr(self, style)
        return ImageFont.truetype(str(files[rng.integers(len(files))]), max(6, int(size)))


def words(rng: np.random.Generator, count: int) -> str:
    """Draw a run of words."""
    known = _WORDS.split()
    return " ".join(known[index] for index in rng.integers(len(known), size=count))


def fitted(text: str, width: float, font: ImageFont.FreeTypeFont) -> str:
    """Cuts a text to about the width given, in pixels."""
    length = font.getlength(text)
    return text if length <= width else text[: max(0, int(len(text) * width / length))]


def item(rng: np.random.Generator) -> str:
    """Something one buys."""
    known = _ITEMS.split()
    name = known[rng.integers(len(known))]
    text = name + ("", "", f" {rng.integers(1, 10)}L", " BIO", " x2")[rng.integers(5)]
    return text.upper() if rng.random() < 0.4 else text


def _style(name: str) -> str:
    if any(part in name for part in _MONO):
        return "mono"
    if any(part in name for part in _HAND):
        return "hand"
    return "serif" if any(part in name for part in _SERIF) and "sans" not in name else "sans"
