"""Lays the shots of the recipe out on the days before a date, and names their files as phones do."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

import numpy as np

from deploy.samples.developing import Look, Rng, nudged
from deploy.samples.recipe import Copy, Format, Kind, Phone, Recipe, Shot

WINDOW: Final = timedelta(days=30)
_HOME_ZONE: Final = timezone(timedelta(hours=-5))
# A phone is never held twice at quite the same spot.
_WANDER_DEGREES: Final = 0.0006
_SHAKE: Final = 0.022


@dataclass(frozen=True)
class Frame:
    """One picture of the roll.

    Attributes:
        id: unique in the roll, the same in every roll.
        event: what it belongs to.
        kind: what sort of picture it is.
        source: name of a credit; empty when it is drawn.
        draw: name of a drawing; empty when it has a source.
        look: how the source becomes the picture.
        instead: source and look for when the source is not at hand.
        taken: wall time with its zone.
        place: name of the place; empty where the file says none.
        position: latitude and longitude in degrees.
        phone: what took it; nothing for a screenshot and for a saved picture.
        orientation: EXIF orientation that the file is stored with.
        format: of the file.
        name: of the file.
        burst: id of the burst it belongs to; empty for none.
        blurred: whether it is spoilt by blur.
        faces: how many people look at the camera; nothing where nobody counted.
    """

    id: str
    event: str
    kind: Kind
    source: str
    draw: str
    look: Look
    instead: tuple[str, Look] | None
    taken: datetime
    place: str
    position: tuple[float, float] | None
    phone: Phone | None
    orientation: int
    format: Format
    name: str
    burst: str
    blurred: bool
    faces: int | None


def seeded(*words: str) -> Rng:
    """Returns a generator that draws the same for the same words, on every machine."""
    return np.random.default_rng(list("/".join(("pellicule", *words)).encode()))


def lay_out(recipe: Recipe, now: datetime) -> list[Frame]:
    """Puts every shot on its day before a date; the result is in the order of capture.

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
    """Returns what a copy's file is called; it was made at the wall time at which the original was taken."""
    moment = datetime.combine(_today(now) - timedelta(days=copy.day), taken.timetz())
    return moment.strftime(copy.name)


def usable_until(frames: list[Frame]) -> datetime:
    """Returns when the first frame that is meant for the window leaves it."""
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
        id=identity, event=shot.event, kind=shot.kind, source=shot.source, draw=shot.draw, look=look, instead=instead,
        taken=taken, place=shot.place, position=_position(recipe, shot.place, identity), phone=phone,
        orientation=shot.orientation, format=_format(shot), name=shot.name or _name(shot, phone, taken),
        burst=shot.id if shot.frames > 1 else "", blurred=shot.blurred or look.blurred,
        faces=None if shot.crowd else shot.faces,
    )  # fmt: skip


def _taken(shot: Shot, today: date) -> datetime:
    wall = datetime.combine(today - timedelta(days=shot.day), shot.time)
    return datetime.fromisoformat(f"{wall.isoformat()}{shot.zone}")


def _of_burst(look: Look, burst: str, number: int, *, shaky: bool) -> Look:
    if number > 1:
        look = nudged(look, seeded("burst", burst, str(number)))
    return replace(look, motion=_SHAKE) if shaky else look


def _position(recipe: Recipe, place: str, identity: str) -> tuple[float, float] | None:
    if not place:
        return None
    latitude, longitude = recipe.places[place]
    north, east = seeded("position", identity).uniform(-_WANDER_DEGREES, _WANDER_DEGREES, 2)
    return round(latitude + float(north), 6), round(longitude + float(east), 6)


def _format(shot: Shot) -> Format:
    return "png" if shot.kind == "screenshot" else shot.format


def _name(shot: Shot, phone: Phone | None, taken: datetime) -> str:
    if phone is None:
        return f"Screenshot_{taken:%Y%m%d-%H%M%S}.png"
    if phone.naming == "counted":
        return f"IMG_{shot.number:04d}.{'HEIC' if shot.format == 'heic' else 'JPG'}"
    if phone.naming == "zulu":
        thousandths = int(seeded("name", f"{shot.id}{taken.second}").integers(1000))
        return f"PXL_{taken.astimezone(UTC):%Y%m%d_%H%M%S}{thousandths:03d}.jpg"
    return f"IMG_{taken:%Y%m%d_%H%M%S}.jpg"
