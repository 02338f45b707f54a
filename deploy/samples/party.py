"""Drawings of a party, of which no package has a free photo: a birthday cake in a dark room, balloons on a wall."""

from itertools import cycle, pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy.samples.developing import Rng, Scene, finished
from deploy.samples.sources import Pixels

Mask = NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float]
_WIDTH: Final = 1920
_HEIGHT: Final = 1440
_PARTY: Final[tuple[Colour, ...]] = (
    (226, 62, 87), (250, 178, 55), (64, 156, 211), (118, 190, 84), (160, 98, 190), (240, 122, 160),
)  # fmt: skip
_BALLOONS: Final = (
    (620, 560, 150), (1240, 470, 150), (930, 400, 160), (1480, 690, 140), (450, 800, 140),
    (780, 740, 165), (1110, 720, 170), (1330, 930, 150), (940, 980, 155), (620, 1010, 145),
)  # fmt: skip
# The cake: the middle of its top, its radii, and how high it is.
_CAKE: Final = (960.0, 760.0)
_RADII: Final = (480.0, 132.0)
_HIGH: Final = 300.0


def cake(rng: Rng) -> Pixels:
    """Draw a chocolate birthday cake with burning candles: UINT8 RGB [1440, 1920, 3]."""
    scene = _shaded((26, 17, 19), (44, 26, 18))
    for x in np.linspace(60, _WIDTH - 60, 30):
        _glow(scene, (x, 200 + rng.uniform(-110, 110)), rng.uniform(16, 32), (150, 96, 42))
    table, x, y = _part(scene, (960, 1202), (_WIDTH, 238))
    grain = cv2.GaussianBlur(rng.standard_normal(x.shape, np.float32), (0, 0), 160, sigmaY=2.5) * 9
    table[:] = (_falloff(x, y, _CAKE, (900, 520)) * (1 + grain))[..., None] * np.asarray((120, 72, 44), np.float32)
    _disc(scene, (960, 1085), (650, 172), (190, 160, 126))
    _cake(scene, rng)
    angles = np.linspace(0, 2 * np.pi, 8)[:-1] + 0.3
    for foot in sorted(((960 + 290 * np.cos(a), 760 + 66 * np.sin(a)) for a in angles), key=lambda foot: foot[1]):
        _candle(scene, rng, foot)
    return finished(_seen_through_a_lens(scene, 190, 0.35))


def balloons(rng: Rng) -> Pixels:
    """Draw balloons and bunting on a wall in daylight: UINT8 RGB [1440, 1920, 3]."""
    scene = _shaded((238, 230, 216), (218, 206, 188))
    wall, x, y = _part(scene, (960, 720), (960, 720))
    wall *= (0.74 + 0.34 * _falloff(x, y, (300, 300), (1100, 800)))[..., None]
    wall += cv2.GaussianBlur(rng.standard_normal(x.shape, np.float32), (0, 0), 2.2)[..., None] * 9
    xs = np.linspace(-40, _WIDTH + 40, 15)
    rope = list(zip(xs, 70 + 150 * (1 - ((xs - 960) / 1000) ** 2), strict=True))
    for (start, end), colour in zip(pairwise(rope), cycle(_PARTY), strict=False):
        tip = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 150)
        cv2.fillPoly(scene, [np.asarray([start, end, tip], np.int32)], colour, cv2.LINE_AA)
        cv2.line(scene, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), (240, 236, 228), 5, cv2.LINE_AA)
    for (left, top, radius), colour in zip(_BALLOONS, cycle(_PARTY), strict=False):
        jitter = rng.uniform(-14, 14, 2)
        _balloon(scene, (left + jitter[0], top + jitter[1]), radius, colour)
    return finished(_seen_through_a_lens(scene, 225, 0.22))


def _cake(scene: Scene, rng: Rng) -> None:
    area, x, y = _part(scene, (960, 980), (_RADII[0], 230))
    across = np.clip((x - _CAKE[0]) / _RADII[0], -1, 1)
    round_ = np.sqrt(1 - across**2)
    upper = _CAKE[1] + _RADII[1] * round_
    cream = (0.28 + 0.72 * round_) * (1 - 0.42 * np.clip((y - upper) / _HIGH, 0, 1))
    _cover(area, y < upper + _HIGH, cream[..., None] * (232, 190, 150))
    # Chocolate runs down over the cream, further here than there.
    runs = y < upper + 40 + 80 * np.abs(np.sin(np.arcsin(across) * 9 + 0.4)) ** 4
    _cover(area, runs, (0.5 + 0.7 * round_)[..., None] * (92, 48, 30))
    _disc(scene, _CAKE, _RADII, (150, 84, 50))
    for number in range(170):
        angle, distance, turn = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform(0, 0.72)), rng.uniform(0, np.pi)
        middle = np.asarray(_CAKE) + np.asarray(_RADII) * distance * (np.cos(angle), np.sin(angle))
        reach = np.asarray((np.cos(turn) * 9, np.sin(turn) * 4))
        ends = (middle - reach).astype(int).tolist(), (middle + reach).astype(int).tolist()
        cv2.line(scene, *ends, _PARTY[number % len(_PARTY)], 5, cv2.LINE_AA)
    for angle in np.linspace(0, 2 * np.pi, 25)[:-1]:
        left, top = _CAKE[0] + (_RADII[0] - 34) * np.cos(angle), _CAKE[1] + (_RADII[1] - 12) * np.sin(angle) - 48
        for size, tone in ((38, 0.72), (27, 0.84), (16, 0.96)):
            _disc(scene, (left, top + size), (size, size), (240 * tone, 184 * tone, 148 * tone))


def _candle(scene: Scene, rng: Rng, foot: Point) -> None:
    high = 168 + rng.uniform(-8, 8)
    flame = foot[0], foot[1] - high - 38
    area, x, y = _part(scene, (foot[0], foot[1] - high / 2), (11, high / 2))
    bright = (np.sin((y + x * 1.6) / 8.5) > 0)[..., None]
    stripes = np.where(bright, _PARTY[int(rng.integers(len(_PARTY)))], (246, 238, 226))
    area[:] = stripes * (0.6 + 0.6 * np.clip((foot[1] - y) / high, 0, 1))[..., None]
    _glow(scene, flame, 210, (34, 17, 5))
    _glow(scene, flame, 66, (78, 42, 14))
    _disc(scene, flame, (15, 36), (255, 176, 62), 8)
    _disc(scene, flame, (8, 22), (255, 250, 214), 8)


def _balloon(scene: Scene, middle: Point, radius: float, colour: Colour) -> None:
    left, top = middle
    _disc(scene, (left + 46, top + 60), (radius, radius * 1.2), (96, 84, 76), 55, 0.28)
    drop = np.linspace(0, 1, 60)
    string = np.stack([left + 26 * np.sin(drop * 5 + left), top + radius * 1.2 + drop * (1500 - top)], axis=1)
    cv2.polylines(scene, [string.astype(np.int32)], isClosed=False, color=(236, 230, 222), thickness=3)
    area, x, y = _part(scene, middle, (radius * 1.1, radius * 1.3))
    u, v = (x - left) / radius, (y - top) / (radius * 1.2)
    depth = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    shade = 0.52 + 0.55 * np.clip(depth * 0.62 - u * 0.42 - v * 0.55, 0, 1.2) + 0.16 * (1 - depth) ** 3
    _cover(area, np.clip((1 - np.hypot(u, v)) * radius / 2 + 0.5, 0, 1), shade[..., None] * colour)
    _disc(scene, (left - 0.36 * radius, top - 0.5 * radius), (0.15 * radius, 0.27 * radius), (250, 250, 246), 20, 0.7)


def _part(scene: Scene, middle: Point, reach: Point) -> tuple[Scene, Mask, Mask]:
    """Return a view of the scene around a point, with the column and the row of each of its pixels."""
    left, right = (int(np.clip(middle[0] + side * reach[0], 0, _WIDTH)) for side in (-1, 1))
    top, bottom = (int(np.clip(middle[1] + side * reach[1], 0, _HEIGHT)) for side in (-1, 1))
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    return scene[top:bottom, left:right], x, y


def _cover(area: Scene, mask: Mask | NDArray[np.bool_], colour: object) -> None:
    area += (np.asarray(colour, np.float32) - area) * np.asarray(mask, np.float32)[..., None]


def _disc(scene: Scene, middle: Point, radii: Point, colour: Colour, soft: float = 2.0, share: float = 1.0) -> None:
    area, x, y = _part(scene, middle, (radii[0] + soft, radii[1] + soft))
    distance = np.hypot((x - middle[0]) / radii[0], (y - middle[1]) / radii[1])
    _cover(area, np.clip((1 - distance) * min(radii) / soft + 0.5, 0, 1) * share, colour)


def _glow(scene: Scene, middle: Point, radius: float, colour: Colour) -> None:
    area, x, y = _part(scene, middle, (radius * 3, radius * 3))
    area += _falloff(x, y, middle, (radius, radius))[..., None] * np.asarray(colour, np.float32)


def _falloff(x: Mask, y: Mask, middle: Point, reach: Point) -> Mask:
    return np.asarray(np.exp(-(((x - middle[0]) / reach[0]) ** 2) - ((y - middle[1]) / reach[1]) ** 2), np.float32)


def _shaded(top: Colour, bottom: Colour) -> Scene:
    share = np.linspace(0, 1, _HEIGHT, dtype=np.float32)[:, None, None]
    shade = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share
    return np.ascontiguousarray(np.broadcast_to(shade, (_HEIGHT, _WIDTH, 3)))


def _seen_through_a_lens(scene: Scene, threshold: float, dark_corners: float) -> Scene:
    """Let bright parts spill over, and darken the corners."""
    small = cv2.resize(np.clip(scene - threshold, 0, None), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    spill = cv2.resize(cv2.GaussianBlur(small, (0, 0), 8), (_WIDTH, _HEIGHT))
    y, x = np.mgrid[-1 : 1 : _HEIGHT * 1j, -1 : 1 : _WIDTH * 1j]
    return np.asarray((scene + spill * 0.3) * (1 - dark_corners * ((x * x + y * y) / 2)[..., None] ** 1.5), np.float32)
