"""Screenshots of phones and of desktops, whose rows, tiles and windows are filled with words and photos."""

from collections.abc import Sequence

import numpy as np

from inference.training.surface import Area, Colour, Rng, Surface
from inference.training.typefaces import Typefaces
from inference.vision.pictures import Picture

_WHITE: Colour = (250, 250, 250)
_LIGHTS: tuple[Colour, ...] = ((255, 95, 86), (255, 189, 46), (39, 201, 63))


class Screen(Surface):
    """A screen, light or dark, with one accent colour."""

    def __init__(self, rng: Rng, faces: Typefaces, photos: Sequence[Picture], size: tuple[int, int]) -> None:
        dark = rng.random() < 0.38
        tone = int(rng.integers(8, 44) if dark else rng.integers(238, 256))
        super().__init__(rng, faces, size, (tone, tone, tone), (232, 232, 236) if dark else (22, 22, 26))
        self.faint: Colour = (140, 140, 146)
        self.card: Colour = (tone + (22 if dark else -13),) * 3
        self.accent, self.photos, self.scale = self.colour(), photos, float(rng.uniform(0.8, 1.6))

    def say(self, text: str, size: float, left: float, right: float | None = None, ink: Colour | None = None) -> None:
        """Write a line at the screen's scale."""
        self.text(text, size * self.scale, left=left, right=right, ink=ink)

    def show(self, area: Area) -> None:
        """Show a photo."""
        self.photo(area, self.photos)


def screenshot(rng: Rng, faces: Typefaces, photos: Sequence[Picture]) -> Picture:
    """Draw a screen, UINT8 RGB: two thirds are a phone's, upright; the others a desktop's, wide.

    Args:
        rng: what chance there is in it.
        faces: the fonts to choose from.
        photos: pictures that feeds, galleries and wallpapers show.
    """
    upright = rng.random() < 0.66
    width = int(rng.integers(350, 420) if upright else rng.integers(860, 1180))
    height = int(width * (rng.uniform(1.75, 2.2) if upright else 1 / rng.uniform(1.3, 1.8)))
    screen = Screen(rng, faces, photos, (width, height))
    (_phone if upright else _desktop)(screen)
    return np.asarray(screen.image)


def _phone(screen: Screen) -> None:
    bodies = (_rows, _lines, _chat, _feed, _page, _tiles, _icons)
    body = bodies[screen.rng.integers(len(bodies))]
    if body is not _icons:
        bar = screen.accent if screen.chance(0.4) else screen.card
        screen.box((0, 0 if bar is screen.accent else 26, screen.width, 78), bar)
        screen.y = 40
        screen.say(screen.words(2).title(), 19, 16 + 22 * int(screen.rng.integers(2)))
        screen.y = 90
    body(screen)
    _status_bar(screen)
    if screen.chance(0.6):
        _navigation(screen)


def _status_bar(screen: Screen) -> None:
    screen.y, right = 5, screen.width - 16
    screen.say(f"{screen.rng.integers(0, 24)}:{screen.rng.integers(0, 60):02d}", 12, 16)
    screen.box((right - 24, 8, right, 18), outline=screen.ink)
    screen.box((right - 22, 10, right - int(screen.rng.integers(2, 20)), 16), screen.ink)
    for bar in range(4):
        screen.box((right - 50 + bar * 5, 16 - bar * 2, right - 47 + bar * 5, 18), screen.ink)


def _navigation(screen: Screen) -> None:
    top, count = screen.height - 52, int(screen.rng.integers(3, 6))
    screen.box((0, top, screen.width, screen.height), screen.card)
    for number in range(count):
        x, screen.y = screen.width * (number + 0.5) / count, top + 32
        screen.box((x - 10, top + 8, x + 10, top + 28), screen.accent if number == 0 else None, screen.faint, 10)
        screen.say(screen.words(1), 9, x - 14, x + 24, screen.faint)


def _rows(screen: Screen) -> None:
    """Contacts and messages, or settings with switches."""
    switches = screen.chance(0.4)
    while screen.room > 32:
        screen.box((14, screen.y, 56, screen.y + 42), screen.colour(), radius=6 if switches else 21)
        screen.say(screen.words(2).title(), 14, 68, screen.right - 48)
        if switches:
            on, right = screen.chance(0.5), screen.right
            screen.box(
                (right - 42, screen.y + 8, right, screen.y + 30), screen.accent if on else screen.faint, radius=11
            )
            knob = right - 20 if on else right - 40
            screen.box((knob, screen.y + 10, knob + 18, screen.y + 28), _WHITE, radius=9)
        screen.y += 22
        screen.say("" if switches else screen.words(7, 7), 12, 68, ink=screen.faint)
        screen.y += 42


def _lines(screen: Screen) -> None:
    """Nothing but lines of text, as menus, note, shells and editors show."""
    style, bright, count = (
        ("sans", "mono")[screen.rng.integers(2)],
        screen.rng.uniform(0, 0.7),
        screen.rng.integers(1, 14),
    )
    size = screen.rng.uniform(12, 20) * screen.scale
    step, end = size * screen.rng.uniform(1.3, 3), screen.height * screen.rng.uniform(0.5, 1.5)
    while screen.room > 32 and screen.y < end:
        left = screen.width * 0.04 * int(screen.rng.integers(1, 4) if style == "mono" else 1)
        ink = screen.colour() if screen.chance(bright) else None
        screen.text(screen.words(count).capitalize(), size, style, left=left, ink=ink)
        screen.y += step


def _chat(screen: Screen) -> None:
    while screen.room > 32:
        own, lines = screen.chance(0.5), int(screen.rng.integers(1, 4))
        wide, high = screen.width * screen.rng.uniform(0.3, 0.75), 14 + 20 * lines
        left, after = screen.width - wide - 12 if own else 12, screen.y + high + 9
        fill = screen.accent if own else screen.card
        screen.box((left, screen.y, left + wide, screen.y + high), fill, radius=15)
        screen.y -= 14
        for _ in range(lines):
            screen.y += 20
            screen.say(screen.words(8, 8), 12, left + 11, left + wide - 8)
        screen.y = after
    screen.box((12, screen.height - 46, screen.width - 12, screen.height - 12), screen.card, screen.faint, 16)


def _feed(screen: Screen) -> None:
    while screen.room > 32:
        screen.box((12, screen.y, 44, screen.y + 32), screen.colour(), radius=16)
        screen.y += 6
        screen.say(screen.words(2).title(), 13, 54)
        high = screen.width * screen.rng.uniform(0.5, 1.0)
        screen.show((0, screen.y + 36, screen.width, screen.y + 36 + high))
        screen.y += high + 44
        for x in (14, 48, 82):
            screen.box((x, screen.y, x + 20, screen.y + 20), outline=screen.ink, radius=10)
        screen.y += 26
        screen.say(screen.words(9, 9), 12, 14)
        screen.y += 36


def _page(screen: Screen) -> None:
    """Draw an article on a phone, a page of the web on a desktop: headings, pictures beside or between them, text."""
    wide = screen.width > screen.height
    edge = screen.width * (0.62 if wide else 1.0)
    while screen.room > 32:
        screen.say(screen.words(5, 2).title(), 20, 16, edge)
        screen.y += 34 * screen.scale
        if screen.chance(0.55):
            left = edge + 20 if wide else 0
            screen.show((left, screen.y, screen.width - (30 if wide else 0), screen.y + 150))
            screen.y += 0 if wide else 164
        for _ in range(screen.rng.integers(3, 7)):
            screen.say(screen.words(20, 20), 13, 16, edge)
            screen.y += 20 * screen.scale
        screen.y += 14


def _icons(screen: Screen) -> None:
    if screen.chance(0.8):
        screen.show((0, 0, screen.width, screen.height))
    screen.ink, screen.y = _WHITE, 60
    cell = screen.width / 4
    side = min(60.0, cell * 0.62)
    while screen.y < screen.height - 60 - cell:
        for column in range(4):
            if screen.chance(0.85):
                left, top = column * cell + (cell - side) / 2, screen.y
                screen.box((left, top, left + side, top + side), screen.colour(), radius=side / 4)
                inner = (left + side * 0.3, top + side * 0.3, left + side * 0.7, top + side * 0.7)
                screen.box(inner, screen.colour(), radius=side)
                screen.y += side + 3
                screen.say(screen.words(1), 10, left, left + side)
                screen.y = top
        screen.y += cell


def _tiles(screen: Screen) -> None:
    """Draw a gallery, or a shop whose pictures have a name and a price."""
    shop = screen.chance(0.5)
    columns = 2 if shop else int(screen.rng.integers(3, 6))
    side, below = screen.width / columns, 48 if shop else 0
    while screen.y < screen.height:
        top = screen.y
        for left in np.arange(columns) * side:
            screen.y = top
            screen.show((left + below / 6, top, left + side - 3 - below / 6, top + side - 3))
            if shop:
                screen.y += side
                screen.say(screen.words(3, 3), 12, left + 10, left + side)
                screen.y += 20
                price = f"{screen.rng.integers(100, 9900) / 100:.2f} EUR"
                screen.say(price, 13, left + 10, left + side, screen.accent)
        screen.y = top + side + below


def _desktop(screen: Screen) -> None:
    body = (_windows, _lines, _page, _spreadsheet)[screen.rng.integers(4)]
    if body is not _windows:
        screen.box((0, 0, screen.width, 36), screen.card)
        for number, colour in enumerate(_LIGHTS):
            screen.box((10 + number * 18, 12, 22 + number * 18, 24), colour, radius=6)
        screen.y = 9
        screen.say(f"https://www.{screen.words(1)}.com/{screen.words(1)}", 12, 90, ink=screen.faint)
        screen.y = 48
    body(screen)


def _windows(screen: Screen) -> None:
    if screen.chance(0.7):
        screen.show((0, 0, screen.width, screen.height))
    else:
        screen.box((0, 0, screen.width, screen.height), screen.colour())
    for _ in range(screen.rng.integers(1, 4)):
        left, top = screen.rng.uniform(0.02, 0.45, 2) * (screen.width, screen.height)
        right, bottom = left + screen.width * screen.rng.uniform(0.3, 0.55), top + screen.height * 0.5
        screen.box((left, top, right, bottom), screen.ground, screen.faint)
        screen.box((left, top, right, top + 28), screen.card)
        screen.y = top + 6
        while screen.y < bottom - 22:
            screen.say(screen.words(8, 2), 12, left + 10, right)
            screen.y += 24
    screen.box((0, screen.height - 40, screen.width, screen.height), screen.card)
    for x in range(12, 42 * int(screen.rng.integers(4, 11)), 42):
        screen.box((x, screen.height - 34, x + 28, screen.height - 6), screen.colour(), radius=6)


def _spreadsheet(screen: Screen) -> None:
    row = 0
    while screen.room > 32:
        top = screen.y
        for column, left in enumerate(range(0, screen.width, 92)):
            head = row == 0 or column == 0
            screen.box((left, top, left + 92, top + 24), screen.card if head else None, screen.card)
            if screen.chance(0.75):
                screen.y = top + 4
                text = screen.words(1) if head else str(screen.rng.integers(99_999))
                screen.say(text, 12, left + 6, left + 90)
        screen.y, row = top + 24, row + 1
