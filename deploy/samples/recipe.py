"""Recipe of the roll as it is written in `roll.toml`."""

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import time
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from deploy.samples.developing import ShotSettings

Kind = Literal["photo", "screenshot", "receipt", "document"]
Format = Literal["jpeg", "png", "webp", "heic"]
_ASPECTS: Final = {"4:3": 4 / 3, "3:4": 3 / 4, "16:9": 16 / 9, "1:1": 1.0}


def _as_look(said: object) -> object:
    """Lets a recipe say an aspect as photographers do."""
    if isinstance(said, Mapping) and isinstance(said.get("aspect"), str):
        return {**said, "aspect": _ASPECTS[said["aspect"]]}
    return said


LookRow = Annotated[ShotSettings, BeforeValidator(_as_look)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Phone(_Row):
    """A phone that does not exist, as it names itself in its pictures.

    Attributes:
        naming: `dated` names files by wall time, `zulu` by UTC, `counted` by a number.
    """

    make: str
    model: str
    lens: str
    focal_length: float
    f_number: float
    naming: Literal["dated", "zulu", "counted"]


class Instead(_Row):
    """What a shot is made of when its own source is not at hand."""

    source: str = Field(alias="from")
    look: LookRow = ShotSettings()


class Shot(_Row):
    """One press of the shutter, which a burst makes several frames of.

    Attributes:
        event: what it belongs to: trip, celebration, pets, zoo, outdoors, everyday, papers, screens, older.
        day: days before the roll's date.
        time: wall time.
        zone: offset of the wall time from UTC.
        source: the name of a picture in `credits.toml`; empty when it is drawn.
        draw: the name of a drawing; empty when it has a source.
        shaky: number of the frame that the hand spoilt; 0 for none.
        orientation: EXIF orientation that the file is stored with.
        number: what a counting phone had counted to.
        name: of a file that no phone named.
        blurred: whether the source itself is blurred.
        faces: how many people look at the camera.
        crowd: whether there are people who were not counted.
    """

    id: str
    event: str
    kind: Kind = "photo"
    day: int
    time: time
    zone: str = "-05:00"
    place: str = ""
    source: str = Field("", alias="from")
    draw: str = ""
    instead: Instead | None = Field(None, alias="or")
    look: LookRow = ShotSettings()
    frames: int = 1
    shaky: int = 0
    orientation: Literal[1, 3, 6, 8] = 1
    phone: str = "p1"
    number: int = 0
    format: Format = "jpeg"
    name: str = ""
    blurred: bool = False
    faces: int = 0
    crowd: bool = False


class Copy(_Row):
    """A file that lies in the roll a second time. `name` may hold the wall time of the copy's day, as for strftime."""

    of: str
    name: str
    day: int


class Recipe(_Row):
    """The whole file: places by name (degrees), phones by name, shots and copies."""

    places: Mapping[str, tuple[float, float]]
    phones: Mapping[str, Phone]
    shots: tuple[Shot, ...] = Field(alias="shot")
    copies: tuple[Copy, ...] = Field(alias="copy")


@cache
def recipe() -> Recipe:
    """Read the recipe."""
    return Recipe.model_validate(tomllib.loads(_text()))


def digest_of(plan: Recipe) -> str:
    """One digest over a recipe and the code that follows it, in hex: what else a roll depends on is its date."""
    here = files(__package__)
    names = sorted(entry.name for entry in here.iterdir() if entry.name.endswith((".py", ".toml")))
    parts = [here.joinpath(name).read_bytes() for name in names]
    return hashlib.sha256(b"".join([*parts, plan.model_dump_json().encode()])).hexdigest()


def _text() -> str:
    return files(__package__).joinpath("roll.toml").read_text("utf-8")
