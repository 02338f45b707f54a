"""Draws what no package has a free photo of: a birthday cake in a dark room, and balloons on a wall."""

import itertools
from typing import Final

import cv2
import numpy as np

from deploy.samples.brushes import (
    Colour,
    Mask,
    Patch,
    Point,
    ball,
    bloomed,
    bokeh,
    canvas,
    ellipse,
    glow,
    patch,
    vignetted,
)
from deploy.samples.developing import Rng, Scene, finished
from deploy.samples.sources import Pixels

_WIDTH: Final = 1920
_HEIGHT: Final = 1440
_MIDDLE: Final = 960.0
_TOP: Final = 760.0
_BOTTOM: Final = 1060.0
_ACROSS: Final = 480.0
_DEEP: Final = 132.0
_PARTY: Final[tuple[Colour, ...]] = (
    (226, 62, 87), (250, 178, 55), (64, 156, 211), (118, 190, 84), (160, 98, 190), (240, 122, 160),
)  # fmt: skip


def cake(rng: Rng) -> Pixels:
    """Draws a chocolate birthday cake with burning candles: UINT8 RGB [1440, 1920, 3]."""
    scene = _dark_room(rng)
    _plate(scene)
    _cake_side(scene, rng)
    _cake_top(scene, rng)
    for angle in np.linspace(np.pi, 2 * np.pi, 10):
        _rosette(scene, angle, 34)
    for place in _candle_places():
        _candle(scene, rng, place)
    for angle in np.linspace(0, np.pi, 13)[1:-1]:
        _rosette(scene, angle, 42)
    return finished(vignetted(bloomed(scene, 190, 36, 0.35), 0.35))


def balloons(rng: Rng) -> Pixels:
    """Draws balloons and bunting on a wall in daylight: UINT8 RGB [1440, 1920, 3]."""
    scene = _bright_wall(rng)
    _bunting(scene, rng)
    places = [
        (620, 560, 150), (1240, 470, 150), (930, 400, 160), (1480, 690, 140), (450, 800, 140),
        (780, 740, 165), (1110, 720, 170), (1330, 930, 150), (940, 980, 155), (620, 1010, 145),
    ]  # fmt: skip
    for number, (x, y, radius) in enumerate(places):
        jitter = rng.uniform(-14, 14, 2)
        _balloon(scene, (x + jitter[0], y + jitter[1]), radius, _PARTY[number % len(_PARTY)])
    return finished(vignetted(bloomed(scene, 225, 30, 0.25), 0.22))


def _dark_room(rng: Rng) -> Scene:
    scene = canvas(_WIDTH, _HEIGHT, (26, 17, 19), (44, 26, 18))
    for row in range(2):
        for x in np.linspace(60, _WIDTH - 60, 15):
            y = 150 + 190 * row + 90 * np.sin(x / 330 + row * 2.0) + rng.uniform(-22, 22)
            warm = rng.uniform(0.45, 1.0)
            bokeh(scene, (x + rng.uniform(-30, 30), y), rng.uniform(24, 46), (150 * warm, 96 * warm, 42 * warm))
    for _ in range(5):
        bokeh(scene, (rng.uniform(0, _WIDTH), rng.uniform(420, 620)), rng.uniform(50, 90), (34, 20, 22))
    scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), 4), np.float32)
    table = patch(scene, (_MIDDLE, _HEIGHT), (_WIDTH, 480))
    grain = cv2.GaussianBlur(rng.standard_normal(table.x.shape, np.float32), (0, 0), sigmaX=160, sigmaY=2.5) * 60
    light = np.exp(-(((table.x - _MIDDLE) / 900) ** 2) - ((table.y - 1050) / 420) ** 2)
    colour = np.stack([96 + grain, 56 + grain * 0.7, 34 + grain * 0.5], axis=2) * (0.22 + 1.15 * light)[..., None]
    table.cover(np.clip((table.y - 965) / 24, 0, 1), colour.astype(np.float32))
    return scene


def _plate(scene: Scene) -> None:
    part = patch(scene, (_MIDDLE, 1085), (860, 340))
    shadow = ellipse(part.x, part.y, (_MIDDLE, 1135), (690, 160), 60)
    part.cover(shadow * 0.7, (12, 7, 6))
    for radii, tone in (((650, 172), 150), ((628, 162), 196), ((560, 138), 168)):
        light = tone * (0.75 + 0.35 * np.clip(1 - np.abs(part.x - _MIDDLE) / 800, 0, 1))
        colour = np.stack([light, light * 0.84, light * 0.66], axis=2)
        part.cover(ellipse(part.x, part.y, (_MIDDLE, 1085), radii, 3), colour.astype(np.float32))


def _cake_side(scene: Scene, rng: Rng) -> None:
    part = patch(scene, (_MIDDLE, 920), (_ACROSS + 20, 320))
    across = np.clip((part.x - _MIDDLE) / _ACROSS, -1, 1)
    round_ = np.sqrt(1 - across**2)
    lower, upper = _BOTTOM + _DEEP * round_, _TOP + _DEEP * round_
    inside = np.clip((_ACROSS - np.abs(part.x - _MIDDLE)) / 2, 0, 1) * np.clip((lower - part.y) / 2, 0, 1)
    inside *= np.clip((part.y - _TOP) / 2, 0, 1)
    down = np.clip((part.y - upper) / (lower - upper), 0, 1)
    shade = (0.28 + 0.72 * round_**0.8) * (1.0 - 0.42 * down)
    cream = np.asarray([232, 190, 150], np.float32) * shade[..., None]
    # The layers of sponge show faintly through the icing, and a palette knife left its strokes.
    strokes = cv2.GaussianBlur(rng.standard_normal(part.x.shape, np.float32), (0, 0), sigmaX=26, sigmaY=3) * 52
    cream += strokes[..., None] * shade[..., None]
    part.cover(inside, cream.astype(np.float32))
    angle = np.arcsin(across)
    waves = [np.abs(np.sin(angle * f + p)) ** e for f, p, e in ((9.0, 0.4, 5), (14.0, 1.7, 8), (5.0, 2.2, 3))]
    length = 34 + 88 * np.clip(0.55 * waves[0] + 0.5 * waves[1] + 0.35 * waves[2], 0, 1)
    runs = np.clip((upper + length - part.y) / 3, 0, 1) * inside
    edge = np.clip((upper + length - part.y) / 26, 0, 1)
    gloss = np.exp(-(((part.y - upper - length + 20) / 7) ** 2)) * np.clip(waves[0], 0, 1)
    chocolate = np.asarray([92, 48, 30], np.float32) * ((0.45 + 0.75 * round_) * (0.5 + 0.5 * edge))[..., None]
    chocolate += np.asarray([120, 84, 58], np.float32) * (gloss * round_ * 0.55)[..., None]
    part.cover(runs, chocolate.astype(np.float32))


def _cake_top(scene: Scene, rng: Rng) -> None:
    part = patch(scene, (_MIDDLE, _TOP), (_ACROSS + 20, _DEEP + 20))
    light = np.exp(-(((part.x - _MIDDLE) / 420) ** 2) - ((part.y - _TOP) / 130) ** 2)
    ripple = cv2.GaussianBlur(rng.standard_normal(part.x.shape, np.float32), (0, 0), sigmaX=30, sigmaY=9) * 90
    shade = (0.75 + 0.95 * light + ripple / 255)[..., None]
    top = np.asarray([112, 60, 36], np.float32) * shade
    part.cover(ellipse(part.x, part.y, (_MIDDLE, _TOP), (_ACROSS, _DEEP), 2), top.astype(np.float32))
    for _ in range(170):
        angle, distance = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 0.72))
        x, y = _MIDDLE + _ACROSS * distance * np.cos(angle), _TOP + _DEEP * distance * np.sin(angle)
        turn, colour = rng.uniform(0, np.pi), _PARTY[rng.integers(len(_PARTY))]
        reach = np.asarray([np.cos(turn) * 9, np.sin(turn) * 4])
        ends = [(int(x + side * reach[0]), int(y + side * reach[1])) for side in (-1, 1)]
        cv2.line(scene, (ends[0][0], ends[0][1] + 3), (ends[1][0], ends[1][1] + 3), (48, 24, 16), 5, cv2.LINE_AA)
        cv2.line(scene, ends[0], ends[1], tuple(float(v) for v in colour), 5, cv2.LINE_AA)


def _rosette(scene: Scene, angle: float, radius: float) -> None:
    x, y = _MIDDLE + (_ACROSS - 34) * np.cos(angle), _TOP + (_DEEP - 12) * np.sin(angle) - 10
    dim = 0.86 + 0.24 * np.cos((x - _MIDDLE) / _ACROSS * 1.4)
    tones = ((1.0, 0.0, 0.86), (0.76, 0.30, 0.95), (0.5, 0.55, 1.03), (0.24, 0.78, 1.1))
    for share, lift, tone in tones:
        colour = (255 * tone * dim, 196 * tone * dim, 158 * tone * dim)
        ball(scene, (x + radius * 0.1 * np.sin(lift * 9), y - radius * lift * 0.8), radius * share, colour, (0.0, -0.7))


def _candle_places() -> list[tuple[float, float]]:
    angles = np.linspace(0, 2 * np.pi, 8)[:-1] + 0.3
    places = [(_MIDDLE + 290 * np.cos(angle), _TOP + 66 * np.sin(angle)) for angle in angles]
    return sorted(places, key=lambda place: place[1])


def _candle(scene: Scene, rng: Rng, place: tuple[float, float]) -> None:
    x, foot = place
    high, wide = 168 + rng.uniform(-8, 8), 11.0
    part = patch(scene, (x, foot - high / 2), (wide + 4, high / 2 + 6))
    u = np.clip((part.x - x) / wide, -1, 1)
    stripe = np.sin((part.y + part.x * 1.6) / 8.5) > 0
    colour = np.asarray(_PARTY[int(rng.integers(len(_PARTY)))], np.float32)
    base = np.where(stripe[..., None], colour, np.asarray([246, 238, 226], np.float32))
    up = np.clip((foot - part.y) / high, 0, 1)
    shade = (0.5 + 0.5 * np.sqrt(1 - u * u)) * (0.62 + 0.75 * up**3)
    mask = np.clip((wide - np.abs(part.x - x)) / 1.5, 0, 1)
    mask *= np.clip(part.y - (foot - high), 0, 1) * np.clip(foot + 2 - part.y, 0, 1)
    part.cover(mask.astype(np.float32), (base * shade[..., None]).astype(np.float32))
    cv2.line(scene, (int(x), int(foot - high)), (int(x + 2), int(foot - high - 14)), (40, 24, 18), 3, cv2.LINE_AA)
    _flame(scene, (x + 2, foot - high - 12), float(rng.uniform(-4, 4)))


def _flame(scene: Scene, root: tuple[float, float], lean: float) -> None:
    x, y = root
    glow(scene, (x, y - 26), 210, (34, 17, 5))
    glow(scene, (x, y - 26), 66, (78, 42, 14))
    part = patch(scene, (x, y - 30), (40, 60))
    up = (y + 6 - part.y) / 70
    middle = x + lean * np.clip(up, 0, 1) ** 2
    width = 15.5 * np.clip(up, 0, 1) ** 0.55 * np.clip(1 - up, 0, 1) ** 0.75 * 1.7
    across = np.abs(part.x - middle) / np.maximum(width, 0.5)
    body = np.clip((1.1 - across) * 4, 0, 1) * ((up > 0) & (up < 1))
    heat = np.clip(1 - across, 0, 1)[..., None] * np.clip(1.35 - up, 0, 1)[..., None]
    colour = np.asarray([255, 176, 62], np.float32) + np.asarray([0, 78, 170], np.float32) * np.clip(heat * 1.3, 0, 1)
    part.cover(body.astype(np.float32), colour.astype(np.float32))
    glow(scene, (x, y), 7, (0, 12, 46))


def _bright_wall(rng: Rng) -> Scene:
    scene = canvas(_WIDTH, _HEIGHT, (238, 230, 216), (218, 206, 188))
    y, x = np.mgrid[0:_HEIGHT, 0:_WIDTH].astype(np.float32)
    light = np.exp(-(((x - 300) / 1100) ** 2) - ((y - 300) / 800) ** 2)
    scene *= (0.74 + 0.34 * light)[..., None]
    # Light through a window that the picture does not show.
    for left in (1310, 1560):
        pane = np.clip(1 - np.abs(x + y * 0.25 - left - 90) / 105, 0, 1) * np.clip(1 - np.abs(y - 360) / 300, 0, 1)
        scene += (cv2.GaussianBlur(np.minimum(pane * 3, 1), (0, 0), 14) * 20)[..., None]
    rough = cv2.GaussianBlur(rng.standard_normal((_HEIGHT, _WIDTH), np.float32), (0, 0), 2.2) * 9
    return np.asarray(scene + rough[..., None], np.float32)


def _bunting(scene: Scene, rng: Rng) -> None:
    xs = np.linspace(-40, _WIDTH + 40, 15)
    ys = 70 + 150 * (1 - ((xs - _MIDDLE) / 1000) ** 2)
    for start, end in itertools.pairwise(zip(xs, ys, strict=True)):
        _flag(scene, rng, start, end)
        ends = [(int(x), int(y)) for x, y in (start, end)]
        cv2.line(scene, ends[0], ends[1], (240, 236, 228), 5, cv2.LINE_AA)


def _flag(scene: Scene, rng: Rng, start: Point, end: Point) -> None:
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    corners = [(start[0] + 8, start[1]), (end[0] - 8, end[1]), (middle[0] + rng.uniform(-8, 8), middle[1] + 150)]
    part = patch(scene, (middle[0], middle[1] + 80), (130, 150))
    shade = cv2.blur(_filled(part, corners, (16, 20)), (25, 25))
    part.area[:] = part.area * (1 - 0.22 * shade)[..., None]
    colour = np.asarray(_PARTY[int(rng.integers(len(_PARTY)))], np.float32)
    folds = 0.82 + 0.12 * np.sin(part.x / 23 + rng.uniform(0, 6))
    part.cover(_filled(part, corners), (colour * folds[..., None]).astype(np.float32))


def _filled(part: Patch, corners: list[Point], shift: Point = (0, 0)) -> Mask:
    mask = np.zeros(part.x.shape, np.float32)
    origin = np.asarray([part.x[0, 0], part.y[0, 0]]) - np.asarray(shift)
    cv2.fillPoly(mask, [(np.asarray(corners) - origin).astype(np.int32)], (1.0,), cv2.LINE_AA)
    return mask


def _balloon(scene: Scene, middle: tuple[float, float], radius: float, colour: Colour) -> None:
    x, y = middle
    shadow = patch(scene, (x + 46, y + 60), (radius * 2, radius * 2))
    shadow.cover(ellipse(shadow.x, shadow.y, (x + 46, y + 60), (radius, radius * 1.2), 55) * 0.28, (96, 84, 76))
    curve = [(int(x + 26 * np.sin(t * 5 + x)), int(y + radius * 1.25 + t * (1500 - y))) for t in np.linspace(0, 1, 60)]
    cv2.polylines(scene, [np.asarray(curve, np.int32)], isClosed=False, color=(236, 230, 222), thickness=3)
    knot = np.asarray([(x, y + radius * 1.17), (x - 15, y + radius * 1.31), (x + 15, y + radius * 1.31)], np.int32)
    cv2.fillPoly(scene, [knot], tuple(float(v) * 0.66 for v in colour), cv2.LINE_AA)
    part = patch(scene, middle, (radius * 1.1, radius * 1.3))
    v = (part.y - y) / (radius * 1.2)
    # Narrower towards the knot, as a balloon is.
    u = (part.x - x) / (radius * (1 - 0.13 * np.clip(v, 0, 1) ** 1.5))
    distance = np.sqrt(u * u + v * v)
    mask = np.clip((1 - distance) * radius / 2 + 0.5, 0, 1)
    depth = np.sqrt(np.clip(1 - distance**2, 0, 1))
    lambert = np.clip(depth * 0.62 - u * 0.42 - v * 0.55, 0, 1.2)
    rim = np.clip(distance, 0, 1) ** 5
    body = np.asarray(colour, np.float32) * (0.52 + 0.55 * lambert + 0.16 * rim)[..., None]
    body += np.asarray([255, 250, 240], np.float32) * (0.1 * rim * np.clip(v, 0, 1))[..., None]
    part.cover(mask.astype(np.float32), body.astype(np.float32))
    window = np.clip(1.4 - np.hypot((u + 0.36) / 0.15, (v + 0.42) / 0.23) ** 3, 0, 1)
    bar = 1 - 0.75 * np.exp(-(((u + 0.36 + 0.12 * v) / 0.018) ** 2))
    part.shine((window * bar * mask * 0.72).astype(np.float32), (205, 205, 200))
    below = np.exp(-(((u - 0.4) / 0.3) ** 2) - ((v - 0.62) / 0.16) ** 2)
    part.shine((below * mask * 0.16).astype(np.float32), (255, 255, 255))
