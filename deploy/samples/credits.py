"""Whose the pictures are that the roll is made of."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Credit:
    """A picture of a package, its author and its licence.

    Attributes:
        package: the package that ships it, as its index or archive calls it.
        path: where it lies in the package.
        sha256: digest of the very file that the other facts are about, in hex.
        title: what its author calls it.
        author: whom to name.
        licence: SPDX identifier, or "public domain".
        origin: where the package has it from.
        changed_before: what the package did to it.
    """

    package: str
    path: str
    sha256: str
    title: str
    author: str
    licence: str
    origin: str
    changed_before: str = ""


DRAWN: Final = Credit(
    "deploy.samples", "", "", "drawn for the roll", "the Pellicule project", "Apache-2.0", "deploy.samples"
)


@cache
def catalogue() -> Mapping[str, Credit]:
    """Return every picture that the roll may be made of, by the name that the recipe calls it."""
    table = tomllib.loads(files(__package__).joinpath("credits.toml").read_text("utf-8"))
    return MappingProxyType({name: Credit(**row) for name, row in table.items()})
