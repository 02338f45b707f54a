"""Lays the shots of the recipe out on the days before a date, and names their files as phones do."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

import numpy as np

from deploy.samples.developing import Rng, ShotSettings, nudged
from deploy.samples.recipe import Copy, Format, Phone, Recipe, Shot

WINDOW: Final = timedelta(days=30)
_HOME_ZONE: Final = timezone(timedelta(hours=-5))
# A phone is never held twice at quite the same spot.
_WANDER_DEGREES: Final = 0.0006
_SHAKE: Final = 0.022
_PORTRAITS: Final = frozenset({"astronaut", "hopper"})


@dataclass(frozen=True)
class Frame:
    """One picture of the roll.

    Attributes:
        id: unique in the roll, the same in every roll.
        shot: what the recipe says of it.
        source: name of a credit; empty when it is drawn.
        look: how the source becomes the picture.
        instead: source and look for when the source is not at hand.
        taken: wall time with its zone.
        position: latitude and longitude in degrees.
        phone: what took it; nothing for a screenshot and for a saved picture.
        name: of the file.
    """

    id: str
    shot: Shot
    source: str
    look: ShotSettings
    instead: tuple[str, ShotSettings] | None
    taken: datetime
    position: tuple[float, float] | None
    phone: Phone | None
    name: str

    @property
    def format(self) -> Format:
        """The format of the file."""
        return "png" if self.shot.kind == "screenshot" else self.shot.format

    @property
    def burst(self) -> str | None:
        """The id of the burst it belongs to."""
        return self.shot.id if self.shot.frames > 1 else None

    @property
    def blurred(self) -> bool:
        """Whether it is spoilt by blur."""
        return self.look.blurred or (self.shot.blurred and self.source == self.shot.source)

    @property
    def faces(self) -> int | None:
        """How many people look at the camera; nothing where they were not counted."""
        if self.source != self.shot.source:
            return int(self.source in _PORTRAITS)
        return None if self.shot.crowd else self.shot.faces


def seeded(*words: str) -> Rng:
    """Return a generator that draws the same for the same words, on every machine."""
    return np.random.default_rng(list("/".join(("pellicule", *words)).encode()))


def lay_out(recipe: Recipe, now: datetime) -> list[Frame]:
    """Put every shot on its day before a date; the result is in the order of capture.

    Args:
        recipe: what to lay out.
        now: aware; its date at home is day 0, and the newest shot is on day 1.
    """
    today = _today(now)
    frames = [
        _frame(recipe, shot, today, number) for shot in recipe.shots for number in range(1, shot.frames + 1)
    ]  # fmt: skip
    return sorted(frames, key=lambda frame: (frame.taken, frame.id))


def copy_name(copy: Copy, taken: datetime, now: datetime) -> str:
    """Return what a copy's file is called; it was made at the wall time at which the original was taken."""
    moment = datetime.combine(_today(now) - timedelta(days=copy.day), taken.timetz())
    return moment.strftime(copy.name)


def usable_until(frames: list[Frame]) -> datetime:
    """Return when the first frame that is meant for the window leaves it."""
    newest = max(frame.taken for frame in frames)
    return min(frame.taken for frame in frames if frame.taken > newest - WINDOW) + WINDOW


def _today(now: datetime) -> date:
    return now.astimezone(_HOME_ZONE).date()


def _frame(recipe: Recipe, shot: Shot, today: date, number: int) -> Frame:
    identity = f"{shot.id}-{number}" if shot.frames > 1 else shot.id
    taken = _taken(shot, today) + timedelta(seconds=number - 1)
    phone = None if shot.kind == "screenshot" or shot.name else recipe.phones[shot.phone]
    shaky = shot.shaky == number
    look = _of_burst(shot.look, shot.id, number, shaky=shaky)
    instead = None
    if shot.instead is not None:
        instead = (shot.instead.source, _of_burst(shot.instead.look, shot.id, number, shaky=shaky))
    return Frame(
        identity, shot, shot.source, look, instead, taken, _position(recipe, shot.place, identity), phone,
        shot.name or _name(shot, phone, taken),
    )  # fmt: skip


def _taken(shot: Shot, today: date) -> datetime:
    wall = datetime.combine(today - timedelta(days=shot.day), shot.time)
    return datetime.fromisoformat(f"{wall.isoformat()}{shot.zone}")


def _of_burst(look: ShotSettings, burst: str, number: int, *, shaky: bool) -> ShotSettings:
    if number > 1:
        look = nudged(look, seeded("burst", burst, str(number)))
    return replace(look, motion=_SHAKE) if shaky else look


def _position(recipe: Recipe, place: str, identity: str) -> tuple[float, float] | None:
    if not place:
        return None
    latitude, longitude = recipe.places[place]
    north, east = seeded("position", identity).uniform(-_WANDER_DEGREES, _WANDER_DEGREES, 2)
    return round(latitude + float(north), 6), round(longitude + float(east), 6)


def _name(shot: Shot, phone: Phone | None, taken: datetime) -> str:
    if phone is None:
        return f"Screenshot_{taken:%Y%m%d-%H%M%S}.png"
    if phone.naming == "counted":
        return f"IMG_{shot.number:04d}.{'HEIC' if shot.format == 'heic' else 'JPG'}"
    if phone.naming == "zulu":
        thousandths = int(seeded("name", f"{shot.id}{taken.second}").integers(1000))
        return f"PXL_{taken.astimezone(UTC):%Y%m%d_%H%M%S}{thousandths:03d}.jpg"
    return f"IMG_{taken:%Y%m%d_%H%M%S}.jpg"
