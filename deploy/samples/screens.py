"""Screenshots of applications that do not exist: a chat, a weather report, directions, an article, a calendar."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final

import numpy as np

from deploy.samples.developing import Rng
from deploy.samples.phone_screen import DARK, HEIGHT, LIGHT, WIDTH, Palette, Screen
from deploy.samples.sources import Library, Pixels

Draw = Callable[[datetime, Rng, Library], Pixels]
_SAID: Final = (
    (0, "On se retrouve à quelle heure samedi\u00a0?"),
    (1, "Vers 17 h 30, avant que la fête commence\u00a0!"),
    (0, "Parfait. J'apporte les ballons et la guirlande."),
    (1, "Moi le gâteau. Chocolat, comme l'an dernier."),
    (0, "Avec sept bougies cette fois"),
    (1, "Déjà achetées :)"),
    (0, "Et pour la musique\u00a0? L'orchestre du quartier est libre, il peut jouer une heure."),
    (1, "Quelle bonne idée\u00a0! Demande-leur s'il leur faut une prise dehors."),
    (0, "Je les appelle demain matin."),
)
_STEPS: Final = ("Prendre la rue du Marché vers l'est", "Traverser la rivière", "À droite au moulin")
_ARTICLE: Final = (
    "The dahlia is planted in spring and flowers until the first frost. Few plants give as much for so little work.",
    "Lift the tubers in autumn, let them dry for a week in an airy place and keep them in sand, away from frost.",
    "In late winter they can be divided. Each part needs an eye, from which the new stem will grow.",
    "Cut flowers early in the morning, when they hold the most water.",
)


def screenshot(name: str, taken: datetime, rng: Rng, library: Library) -> Pixels:
    """Draws one of `SCREENS` as it was at a wall time: UINT8 RGB [2340, 1080, 3]."""
    return SCREENS[name](taken, rng, library)


def _chat(taken: datetime, rng: Rng, library: Library) -> Pixels:
    screen = _titled(DARK, taken, "Fête de samedi", "4 personnes")
    y = 300.0
    for side, text in _SAID:
        rows = screen.wrapped(text, 42, 660)
        wide = max(screen.wide(row, 42) for row in rows) + 72
        left = WIDTH - 40 - wide if side else 130.0
        ink = (14, 40, 30) if side else DARK.ink
        screen.box((left, y, left + wide, y + 56 + 54 * len(rows)), DARK.accent if side else DARK.card, 40)
        for number, row in enumerate(rows):
            screen.write(left + 36, y + 22 + 54 * number, row, 42, ink=ink)
        if not side:
            screen.disc(76, y + 28 + 54 * len(rows), 38, (214, 140, 90))
            screen.write(76, y + 2 + 54 * len(rows), "L", 40, weight="Semibold", ink=(60, 30, 10), align=0.5)
        y += 56 + 54 * len(rows) + 26
    screen.box((40, HEIGHT - 190, WIDTH - 170, HEIGHT - 82), DARK.card, 54)
    screen.write(86, HEIGHT - 168, "Message", 42, ink=DARK.faint)
    screen.disc(WIDTH - 94, HEIGHT - 136, 54, DARK.accent)
    screen.area([(968, HEIGHT - 164), (1018, HEIGHT - 136), (968, HEIGHT - 108)], (14, 40, 30))
    return screen.shot()


def _weather(taken: datetime, rng: Rng, library: Library) -> Pixels:
    white, pale = (255, 255, 255), (206, 224, 246)
    screen = Screen(Palette((70, 130, 210), (104, 158, 224), white, pale, white), f"{taken:%H:%M}")
    screen.shaded((0, 0, WIDTH, HEIGHT), (52, 112, 200), (150, 196, 238))
    screen.write(WIDTH / 2, 210, "Centre-ville", 64, weight="Semibold", align=0.5)
    screen.write(WIDTH / 2, 300, "12°", 250, weight="Light", align=0.5)
    screen.write(WIDTH / 2, 630, "Éclaircies · ressenti 10°", 46, ink=pale, align=0.5)
    _sun(screen, 880, 470, 70)
    screen.box((50, 780, WIDTH - 50, 1090), (92, 148, 218), 44)
    for number in range(6):
        x, hour = 135 + number * 162, (taken.hour + number) % 24
        screen.write(x, 812, f"{hour:02d} h", 36, ink=pale, align=0.5)
        (_sun if number in {1, 2, 4} else _cloud)(screen, x, 930, 30)
        screen.write(x, 1000, f"{12 + (0, 1, 2, 3, 3, 2)[number]}°", 44, weight="Semibold", align=0.5)
    screen.box((50, 1130, WIDTH - 50, 2140), (92, 148, 218), 44)
    days = ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi", "Samedi", "Dimanche")
    for number in range(7):
        y = 1172 + number * 136
        screen.write(100, y + 14, days[(taken.weekday() + number) % 7] if number else "Aujourd'hui", 46)
        (_cloud if number in {2, 3} else _sun)(screen, 470, y + 44, 30)
        low, high = int(rng.integers(3, 8)), int(rng.integers(10, 16))
        screen.write(610, y + 14, f"{low}°", 46, ink=pale, align=0.5)
        screen.box((670, y + 38, 890, y + 52), (130, 174, 226), 7)
        screen.box((670 + low * 9, y + 38, 690 + high * 13, y + 52), (252, 214, 110), 7)
        screen.write(960, y + 14, f"{high}°", 46, align=0.5)
    return screen.shot()


def _sun(screen: Screen, x: float, y: float, radius: float) -> None:
    for angle in np.linspace(0, 2 * np.pi, 9)[:-1]:
        ends = [(x + radius * reach * np.cos(angle), y + radius * reach * np.sin(angle)) for reach in (1.3, 1.6)]
        screen.path(ends, (255, 216, 92), max(5, radius / 8))
    screen.disc(x, y, radius, (255, 216, 92))


def _cloud(screen: Screen, x: float, y: float, radius: float) -> None:
    for shift, lift, size in ((-0.8, 0.3, 0.62), (0.0, -0.1, 0.9), (0.8, 0.3, 0.66)):
        screen.disc(x + shift * radius, y + lift * radius, size * radius, (240, 246, 252))
    screen.box((x - 1.1 * radius, y + 0.3 * radius, x + 1.2 * radius, y + 0.95 * radius), (240, 246, 252), radius / 3)


def _directions(taken: datetime, rng: Rng, library: Library) -> Pixels:
    screen = Screen(LIGHT, f"{taken:%H:%M}")
    screen.box((0, 0, WIDTH, 1660), (234, 236, 228))
    screen.area([(620, 0), (1080, 0), (1080, 620), (840, 520), (700, 260)], (200, 226, 190))
    screen.area([(0, 1180), (300, 1260), (420, 1660), (0, 1660)], (200, 226, 190))
    river = [(-30, 640), (220, 700), (460, 880), (700, 930), (1110, 1100)]
    screen.path(river, (166, 204, 236), 96)
    for number in range(9):
        x, slope = 60 + number * 130 + rng.uniform(-25, 25), rng.uniform(-90, 90)
        screen.path([(x, -20), (x + slope, 1680)], (255, 255, 255), 18)
    for number in range(11):
        y, slope = 70 + number * 150 + rng.uniform(-25, 25), rng.uniform(-90, 90)
        screen.path([(-20, y), (1100, y + slope)], (255, 255, 255), 18)
    screen.path([(-20, 420), (380, 520), (660, 1240), (1100, 1440)], (252, 214, 120), 30)
    route = [(230, 1450), (250, 1180), (470, 1130), (520, 820), (690, 760), (720, 590), (860, 520)]
    screen.path(route, (24, 74, 190), 34)
    screen.path(route, (66, 133, 244), 24)
    screen.disc(230, 1450, 34, (255, 255, 255))
    screen.disc(230, 1450, 24, (66, 133, 244))
    screen.area([(820, 470), (900, 470), (860, 560)], (222, 60, 52))
    screen.disc(860, 448, 48, (222, 60, 52))
    screen.disc(860, 448, 18, (255, 255, 255))
    screen.box((40, 120, WIDTH - 40, 320), (255, 255, 255), 40)
    screen.write(96, 146, "Ma position", 42, ink=LIGHT.faint)
    screen.write(96, 220, "Pont romain, entrée rive droite", 44, weight="Semibold")
    screen.box((0, 1620, WIDTH, HEIGHT), (255, 255, 255), 56)
    screen.write(64, 1680, "26 min", 84, weight="Bold", ink=(24, 128, 74))
    screen.write(400, 1712, "24 km · circulation fluide", 44, ink=LIGHT.faint)
    for number, step in enumerate(_STEPS):
        y = 1830 + number * 100
        screen.disc(96, y + 30, 24, LIGHT.card)
        screen.write(150, y, step, 44)
    screen.box((64, 2150, WIDTH - 64, 2270), LIGHT.accent, 60)
    screen.write(WIDTH / 2, 2178, "Démarrer", 50, weight="Semibold", ink=(255, 255, 255), align=0.5)
    return screen.shot()


def _article(taken: datetime, rng: Rng, library: Library) -> Pixels:
    screen = Screen(LIGHT, f"{taken:%H:%M}")
    screen.box((40, 120, WIDTH - 40, 216), LIGHT.card, 48)
    screen.write(WIDTH / 2, 140, "the-garden-notebook", 40, ink=LIGHT.faint, align=0.5)
    screen.write(60, 270, "GARDEN", 36, weight="Bold", ink=(196, 84, 40))
    y = 330
    for row in screen.wrapped("A second summer for your dahlias", 84, 960, "Bold"):
        screen.write(60, y, row, 84, weight="Bold")
        y += 98
    screen.write(60, y + 16, "4 minutes to read", 38, ink=LIGHT.faint)
    screen.picture(library.pixels("dahlia"), (0, y + 100, WIDTH, y + 760))
    y += 810
    for text in _ARTICLE:
        for row in screen.wrapped(text, 46, 950):
            screen.write(60, y, row, 46)
            y += 64
        y += 34
    screen.box((0, HEIGHT - 170, WIDTH, HEIGHT), LIGHT.ground)
    screen.box((0, HEIGHT - 172, WIDTH, HEIGHT - 170), LIGHT.card)
    for x, side in ((120, 1), (330, -1)):
        screen.path([(x + 12 * side, HEIGHT - 142), (x - 12 * side, HEIGHT - 118), (x + 12 * side, HEIGHT - 94)],
                    LIGHT.faint, 7)  # fmt: skip
    for x in (540, 750, 960):
        screen.box((x - 24, HEIGHT - 142, x + 24, HEIGHT - 94), LIGHT.faint, 10)
        screen.box((x - 17, HEIGHT - 135, x + 17, HEIGHT - 101), LIGHT.ground, 6)
    return screen.shot()


def _calendar(taken: datetime, rng: Rng, library: Library) -> Pixels:
    screen = _titled(LIGHT, taken, "Agenda", f"{_MONTHS[taken.month - 1]} {taken.year}")
    for column, day in enumerate("LMMJVSD"):
        screen.write(110 + column * 143, 310, day, 40, weight="Semibold", ink=LIGHT.faint, align=0.5)
    first = taken.date().replace(day=1)
    start = first - timedelta(days=first.weekday())
    for cell in range(42):
        _day(screen, start + timedelta(days=cell), cell, taken.date())
    entries = (
        ("09:00", "Réunion d'équipe", (66, 133, 244)), ("12:30", "Déjeuner au café du parc", (240, 150, 50)),
        ("16:45", "Vétérinaire pour le chat", (150, 96, 200)), ("19:00", "Cours de batterie", (46, 160, 110)),
    )  # fmt: skip
    for number, (hour, text, colour) in enumerate(entries):
        y = 1290 + number * 220
        screen.box((50, y, WIDTH - 50, y + 190), LIGHT.card, 36)
        screen.box((50, y + 30, 64, y + 160), colour, 7)
        screen.write(110, y + 28, hour, 40, ink=LIGHT.faint)
        screen.write(110, y + 88, text, 52, weight="Semibold")
    screen.disc(WIDTH - 130, HEIGHT - 190, 76, LIGHT.accent)
    screen.path([(WIDTH - 162, HEIGHT - 190), (WIDTH - 98, HEIGHT - 190)], (255, 255, 255), 10)
    screen.path([(WIDTH - 130, HEIGHT - 222), (WIDTH - 130, HEIGHT - 158)], (255, 255, 255), 10)
    return screen.shot()


def _day(screen: Screen, day: date, cell: int, today: date) -> None:
    x, y = 110 + cell % 7 * 143, 390 + cell // 7 * 142
    if day == today:
        screen.disc(x, y + 40, 56, LIGHT.accent)
    ink = (255, 255, 255) if day == today else LIGHT.ink if day.month == today.month else (196, 200, 208)
    screen.write(x, y + 8, str(day.day), 48, ink=ink, align=0.5)
    if day.toordinal() % 5 in {0, 3} and day.month == today.month and day != today:
        screen.disc(x, y + 88, 8, ((66, 133, 244), (240, 150, 50))[day.toordinal() % 2])


def _titled(palette: Palette, taken: datetime, title: str, below: str) -> Screen:
    screen = Screen(palette, f"{taken:%H:%M}")
    screen.path([(84, 172), (58, 198), (84, 224)], palette.ink, 8)
    screen.write(140, 140, title, 58, weight="Semibold")
    screen.write(140, 214, below, 38, ink=palette.faint)
    return screen


_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
SCREENS: Final[Mapping[str, Draw]] = MappingProxyType(
    {
        "screen_chat": _chat,
        "screen_weather": _weather,
        "screen_directions": _directions,
        "screen_article": _article,
        "screen_calendar": _calendar,
    }
)
