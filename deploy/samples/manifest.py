"""Manifest of a roll that was built: `roll.json`, the ground truth for tests and measurements."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from deploy.samples.errors import TargetInUse
from deploy.samples.recipe import Kind

MANIFEST: Final = "roll.json"
PICTURES: Final = "DCIM"


class RollFile(BaseModel):
    """A file of the roll, and what is true of it.

    Attributes:
        file: its name below `DCIM`.
        shot: id of the frame, the same in every roll.
        kind: photo, screenshot, receipt or document.
        event: trip, celebration, pets, zoo, outdoors, everyday, papers, screens, older.
        burst: id of its burst.
        duplicate_of: the file that it is an exact copy of.
        blurred: whether it is spoilt by blur.
        dark: whether it is spoilt by too little light.
        faces: how many people look at the camera; nothing where they were not counted.
        taken_at: wall time with its zone, as EXIF has it.
        position: latitude and longitude in degrees, as EXIF has it.
        place: name of the place in the recipe.
        in_window: whether it was taken in the 30 days before the roll's date.
        width: of the upright picture in pixels.
        height: of the upright picture in pixels.
        orientation: EXIF orientation that it is stored with.
        source: name in `credits.toml`; nothing when it is drawn.
        sha256: digest of the file, in hex.
        size_bytes: size of the file.
    """

    model_config = ConfigDict(frozen=True)

    file: str
    shot: str
    kind: Kind
    event: str
    burst: str | None
    duplicate_of: str | None
    blurred: bool
    dark: bool
    faces: int | None
    taken_at: AwareDatetime
    position: tuple[float, float] | None
    place: str | None
    in_window: bool
    width: int
    height: int
    orientation: int
    source: str | None
    sha256: str
    size_bytes: int


class Manifest(BaseModel):
    """A whole roll.

    Attributes:
        mark: says that the roll is synthetic.
        recipe: digest of the recipe and of the code that followed it.
        built_for: the moment that counts as now.
        usable_until: when the first picture leaves the window of 30 days.
        missing_packages: packages whose pictures could not be had; the roll is smaller without them.
        files: in the order of capture, copies last.
    """

    model_config = ConfigDict(frozen=True)

    mark: str
    recipe: str
    built_for: AwareDatetime
    usable_until: AwareDatetime
    missing_packages: tuple[str, ...]
    files: tuple[RollFile, ...]


def read(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; nothing when there is none that can be read."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def holds(manifest: Manifest, folder: Path, *, recipe: str, now: datetime) -> bool:
    """Whether a roll is still whole, of the present recipe, and within its window."""
    return (
        manifest.recipe == recipe
        and manifest.built_for <= now < manifest.usable_until
        and all(_same(folder / PICTURES / row.file, row.sha256) for row in manifest.files)
    )


def refuse_strangers(manifest: Manifest | None, folder: Path) -> None:
    """Check that nothing lies where the pictures go but what an earlier run put there.

    Raises:
        TargetInUse: something else does.
    """
    pictures = folder / PICTURES
    known = {row.file for row in manifest.files} if manifest else set()
    there = {entry.name for entry in pictures.iterdir()} if pictures.is_dir() else set()
    strangers = sorted(there - known)
    if strangers:
        raise TargetInUse(f"{pictures} holds {strangers[0]}, which is not of the sample roll; choose another folder")


def _same(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256
