"""Camera simulation: framing, size, light, grain, and what goes wrong with a picture."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy.samples.sources import Pixels

Scene = NDArray[np.float32]
Rng = np.random.Generator
# How far apart the frames of a burst are: a share of the frame, degrees, stops.
_BURST_SHIFT: Final = 0.012
_BURST_TURN: Final = 0.5
_BURST_STOPS: Final = 0.07


@dataclass(frozen=True)
class ShotSettings:
    """How a source becomes a picture.

    Attributes:
        aspect: width over height; 0 keeps that of the source.
        focus: the point of the source to look at, as fractions of its width and height.
        zoom: 1 takes as much of the source as the aspect allows, 2 half as much.
        turn: degrees, anticlockwise.
        long_side: of the result, in pixels.
        exposure: in stops.
        warmth: below 0 is colder, above 0 is warmer; 1 is far.
        contrast: 1 leaves it.
        grain: standard deviation of the sensor's noise, in 8-bit steps.
        mirrored: as phones save what their front camera saw.
        motion: length of the smear of a hand that moved, as a share of the long side.
        motion_angle: its direction in degrees.
        defocus: radius of the blur, as a share of the long side.
    """

    aspect: float = 4 / 3
    focus: tuple[float, float] = (0.5, 0.5)
    zoom: float = 1.0
    turn: float = 0.0
    long_side: int = 1600
    exposure: float = 0.0
    warmth: float = 0.0
    contrast: float = 1.0
    grain: float = 2.2
    mirrored: bool = False
    motion: float = 0.0
    motion_angle: float = 12.0
    defocus: float = 0.0

    @property
    def blurred(self) -> bool:
        """Whether the picture is spoilt by blur."""
        return self.motion > 0 or self.defocus > 0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the result in pixels, both even, for an aspect that is given."""
        wide, high = (self.aspect, 1.0) if self.aspect >= 1 else (1.0, 1 / self.aspect)
        scale = self.long_side / max(wide, high)
        return int(round(wide * scale / 2) * 2), int(round(high * scale / 2) * 2)


def nudged(look: ShotSettings, rng: Rng) -> ShotSettings:
    """Return the next frame of a burst: the same scene, a hand's tremble and a little light further."""
    x, y = (value + float(rng.uniform(-1, 1)) * _BURST_SHIFT for value in look.focus)
    return replace(
        look,
        focus=(x, y),
        zoom=look.zoom * float(rng.uniform(1.01, 1.045)),
        turn=look.turn + float(rng.uniform(-1, 1)) * _BURST_TURN,
        exposure=look.exposure + float(rng.uniform(-1, 1)) * _BURST_STOPS,
    )


def develop(source: Pixels, look: ShotSettings, rng: Rng) -> Pixels:
    """Make a picture out of a source.

    Args:
        source: UINT8 RGB [height, width, 3].
        look: how.
        rng: draws the grain.
    """
    if not look.aspect:
        look = replace(look, aspect=source.shape[1] / source.shape[0])
    framed, scale = _framed(source, look)
    scene = _sharpened(_lit(framed, look), scale)
    scene = _smeared(scene, look)
    return finished(_grained(scene, look.grain, rng))


def finished(scene: Scene) -> Pixels:
    """Round 0..255 to 8 bits."""
    return np.ascontiguousarray(cv2.convertScaleAbs(np.maximum(scene, 0)), np.uint8)


def _framed(source: Pixels, look: ShotSettings) -> tuple[Pixels, float]:
    """Cuts and scales; returns the picture and how much larger than the source it is."""
    height, width = source.shape[:2]
    wide = min(width, height * look.aspect) / look.zoom
    high = wide / look.aspect
    # A turned frame must not reach beyond the source.
    angle = np.deg2rad(abs(look.turn))
    wide /= max(
        np.cos(angle) + np.sin(angle) * high / wide,
        np.cos(angle) + np.sin(angle) * wide / high,
    )
    high = wide / look.aspect
    x = float(np.clip(look.focus[0] * width, wide / 2, width - wide / 2))
    y = float(np.clip(look.focus[1] * height, high / 2, height - high / 2))
    scale = look.size[0] / wide
    if scale < 1:
        # Warping alone would skip pixels: take the average of as many as fall together first.
        source = np.asarray(cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        return _warped(source, (x * scale, y * scale), 1.0, look), scale
    return _warped(source, (x, y), scale, look), scale


def _warped(source: Pixels, middle: tuple[float, float], scale: float, look: ShotSettings) -> Pixels:
    columns, rows = look.size
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, look.turn, scale), np.float64)
    matrix[:, 2] += np.asarray([columns / 2, rows / 2]) - np.asarray(middle)
    if look.mirrored:
        mirror = np.asarray([[-1, 0, columns - 1], [0, 1, 0]], float)
        matrix = mirror @ np.vstack([matrix, [0, 0, 1]])
    drawn = cv2.warpAffine(source, matrix, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(drawn, np.uint8)


def _lit(framed: Pixels, look: ShotSettings) -> Scene:
    """Change light as a sensor would, in linear light, then contrast and colour as a phone would."""
    step = np.arange(256, dtype=np.float32)[:, None] / 255
    warmth = np.asarray([1 + 0.22 * look.warmth, 1.0, 1 - 0.28 * look.warmth], np.float32)
    linear = step**2.2 * np.float32(2.0**look.exposure) * warmth
    # A soft shoulder keeps bright parts from turning into flat white.
    linear = np.where(linear > 0.8, 0.8 + 0.2 * np.tanh((linear - 0.8) / 0.2), linear)
    curve = (linear ** (1 / 2.2) * 255 - 118) * look.contrast + 118
    return np.asarray(cv2.LUT(framed, curve[None].astype(np.float32)), np.float32)


def _sharpened(scene: Scene, scale: float) -> Scene:
    """Give back the edges that enlarging took, at the width that it gave them."""
    if scale <= 1:
        return scene
    soft = cv2.GaussianBlur(scene, (0, 0), 0.55 * scale)
    amount = min(1.1, 0.35 + 0.4 * (scale - 1))
    return np.asarray(scene + np.clip((scene - soft) * amount, -22, 22), np.float32)


def _smeared(scene: Scene, look: ShotSettings) -> Scene:
    if look.motion:
        length = max(3, int(look.motion * look.long_side))
        kernel = np.zeros((length, length), np.float32)
        reach = length / 2 * np.asarray([np.cos(np.deg2rad(look.motion_angle)), np.sin(np.deg2rad(look.motion_angle))])
        start, end = length / 2 - reach, length / 2 + reach
        cv2.line(kernel, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), (1.0,), 2, cv2.LINE_AA)
        scene = np.asarray(cv2.filter2D(scene, -1, kernel / kernel.sum()), np.float32)
    if look.defocus:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), look.defocus * look.long_side), np.float32)
    return scene


def _grained(scene: Scene, grain: float, rng: Rng) -> Scene:
    if not grain:
        return scene
    rows, columns = scene.shape[:2]
    light = cv2.GaussianBlur(rng.standard_normal((rows, columns), np.float32), (0, 0), 0.7) * 2.0
    coarse = rng.standard_normal((rows // 3 + 1, columns // 3 + 1, 3), np.float32)
    colour = cv2.resize(coarse * 0.45, (columns, rows), interpolation=cv2.INTER_LINEAR)
    noise = np.asarray(colour, np.float32) + light[..., None]
    # Shadows are noisier than lights.
    grey = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
    noise *= (grain * np.clip(1.25 - grey * (0.6 / 255), 0.65, 1.25))[..., None]
    return np.asarray(scene + noise, np.float32)
