"""Photographs a sheet of paper that lies on a table: perspective, creases, shadow and uneven light."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image

from deploy.samples.developing import Rng, Scene, finished
from deploy.samples.sources import Pixels

_LONG: Final = 2016
_SHORT: Final = 1512
_WOODS: Final = ((150, 104, 66), (108, 70, 44), (188, 150, 110), (92, 84, 80))


@dataclass(frozen=True)
class Laid:
    """How a sheet lies on the table.

    Attributes:
        turn: degrees, clockwise.
        fills: share of the picture's height that the sheet takes.
        tilt: how strongly the far end is smaller.
        wood: which table.
        light: from which side of the picture, in degrees; 0 is from the right, 90 from below.
        creases: how crumpled the paper is.
        upright: whether the picture is higher than wide.
    """

    turn: float = -4.0
    fills: float = 0.92
    tilt: float = 0.06
    wood: int = 0
    light: float = 220.0
    creases: float = 1.0
    upright: bool = True


LAID: Final = {
    "receipt_groceries": Laid(turn=-5.0, fills=0.95, wood=0),
    "receipt_restaurant": Laid(turn=9.0, fills=0.86, wood=1, light=300.0, tilt=0.1),
    "receipt_bakery": Laid(turn=-12.0, fills=0.84, wood=2, creases=1.4),
    "receipt_pharmacy": Laid(turn=3.0, fills=0.9, wood=3, light=140.0),
    "letter": Laid(turn=1.5, fills=0.97, wood=0, creases=0.5, tilt=0.04),
    "timetable": Laid(turn=-2.5, fills=0.98, wood=2, creases=0.3, tilt=0.03, light=320.0),
}


def photograph(sheet: Image.Image, laid: Laid, rng: Rng) -> Pixels:
    """Lays a flat sheet on a table and takes its picture: UINT8 RGB, 2016 pixels long."""
    width, height = (_SHORT, _LONG) if laid.upright else (_LONG, _SHORT)
    paper = _creased(np.asarray(sheet, np.float32), laid, rng)
    matrix = cv2.getPerspectiveTransform(_outline(sheet.size), _corners(sheet.size, (width, height), laid))
    size = (width, height)
    drawn = np.asarray(cv2.warpPerspective(paper, matrix, size, flags=cv2.INTER_AREA), np.float32)
    whole = np.ones(paper.shape[:2], np.float32)
    cover = np.asarray(cv2.warpPerspective(whole, matrix, size, flags=cv2.INTER_AREA), np.float32)
    table = _wood(rng, _WOODS[laid.wood], width, height)
    shaded = table * (1 - 0.6 * _shadow(cover, laid) * (1 - cover))[..., None]
    scene = shaded + (drawn - shaded) * cover[..., None]
    lit = scene * _light(laid, width, height)[..., None]
    return finished(np.asarray(cv2.GaussianBlur(lit, (0, 0), 0.8), np.float32))


def _outline(size: tuple[int, int]) -> Scene:
    width, height = size
    return np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def _corners(sheet: tuple[int, int], frame: tuple[int, int], laid: Laid) -> Scene:
    scale = laid.fills * min(frame[1] / sheet[1], frame[0] * 0.96 / sheet[0])
    corners = (_outline(sheet) - np.asarray(sheet) / 2) * scale
    # The far end is nearer to the middle, because the phone is held at an angle.
    corners[:, 0] *= 1 + laid.tilt * corners[:, 1] / frame[1] * 2
    angle = np.deg2rad(laid.turn)
    turned = corners @ np.asarray([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(turned + np.asarray(frame) / 2, np.float32)


def _creased(paper: Scene, laid: Laid, rng: Rng) -> Scene:
    """Shades the paper as if it had been folded and carried about."""
    height, width = paper.shape[:2]
    relief = np.zeros((height, width), np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for _ in range(7):
        angle, offset = rng.uniform(0, np.pi), rng.uniform(-0.5, 0.5)
        distance = (x / width - 0.5) * np.cos(angle) + (y / height - 0.5) * np.sin(angle) - offset
        relief += np.abs(distance) * rng.uniform(-1, 1)
    soft = cv2.GaussianBlur(rng.standard_normal((height // 8, width // 8), np.float32), (0, 0), 9)
    relief += cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC) * 0.8
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=5) + 0.7 * cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=5)
    slope = cv2.GaussianBlur(slope, (0, 0), 2)
    shade = 1 + np.clip(slope / (np.abs(slope).mean() + 1e-6), -3, 3) * 0.016 * laid.creases
    return np.asarray(paper * shade[..., None], np.float32)


def _wood(rng: Rng, colour: tuple[int, int, int], width: int, height: int) -> Scene:
    grain = np.zeros((height, width), np.float32)
    # Noise that is far coarser along the wood than across it; enlarging it draws the fibres.
    for along, across, strength in ((90, 2, 6.0), (300, 9, 10.0), (30, 1, 2.0)):
        noise = rng.standard_normal((height // across + 2, width // along + 2), np.float32)
        grain += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * strength
    y = np.arange(height, dtype=np.float32)[:, None]
    plank, shift = 460, rng.uniform(0, 460)
    tone = rng.normal(0, 7, height // plank + 3)[((y + shift) // plank).astype(int)]
    seam = np.exp(-((((y + shift) % plank) / 3.2) ** 2))
    shade = (1 + (grain + tone) / 110) * (1 - 0.55 * seam)
    return np.asarray(np.asarray(colour, np.float32) * shade[..., None], np.float32)


def _shadow(cover: Scene, laid: Laid) -> Scene:
    away = np.deg2rad(laid.light + 180)
    shift = np.asarray([[1, 0, 16 * np.cos(away)], [0, 1, 16 * np.sin(away)]], np.float32)
    moved = cv2.warpAffine(cover, shift, cover.shape[1::-1])
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), 13), np.float32)


def _light(laid: Laid, width: int, height: int) -> Scene:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    angle = np.deg2rad(laid.light)
    return np.asarray(0.86 + 0.16 * (x * np.cos(angle) + y * np.sin(angle)) - 0.05 * (x * x + y * y), np.float32)
