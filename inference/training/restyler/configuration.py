"""Configuration of the training, from config.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from inference.training.restyler.styles import STYLES

CONFIG: Final = Path(__file__).with_name("config.toml")


@dataclass(frozen=True)
class Paintings:
    """What to paint before training: how many photos, how long their long side is, and the seed of all chance."""

    count: int
    long_side: int
    seed: int


@dataclass(frozen=True)
class Configuration:
    """All of config.toml.

    Attributes:
        held_out: names of photos never learnt from.
        paintings: what to paint.
        shape: fields of the network's shape.
        recipe: fields of the recipe of training.
        sheet: centres of what the contact sheet shows, by the photo's name, as parts of width and height.
    """

    held_out: frozenset[str]
    paintings: Paintings
    shape: Mapping[str, Any]
    recipe: Mapping[str, Any]
    sheet: Mapping[str, tuple[float, float]]


def read_configuration(path: Path = CONFIG) -> Configuration:
    """Read the configuration.

    Raises:
        KeyError: a table or a style is missing.
        TypeError: `paintings` has an unknown field.
    """
    table = tomllib.loads(path.read_text("utf-8"))
    weights = tuple(float(table["styles"][name]) for name in STYLES)
    return Configuration(
        frozenset(table["held_out"]),
        Paintings(**table["paintings"]),
        {**table["shape"], "blocks": tuple(table["shape"]["blocks"]), "styles": len(STYLES)},
        {**table["recipe"], "weights": weights},
        {name: (float(across), float(down)) for name, (across, down) in table["sheet"].items()},
    )
