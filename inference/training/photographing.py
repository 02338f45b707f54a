"""Photography of papers: what cameras and messengers do to sheets, surfaces and photos."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Picture

Rng = np.random.Generator
Scene = NDArray[np.float32]
_SIDE = 640


def scanned(rng: Rng, sheet: Picture) -> Picture:
    """Return a sheet that fills the frame, or is cut by it."""
    if rng.random() < 0.35:
        sheet = cropped(rng, sheet, (0.7, 1), (0.5, 1))
    border = int(rng.choice([0, 0, rng.integers(4, 60)]))
    tone = tuple(int(v) for v in np.clip(rng.normal(rng.choice([245, 120, 40]), 8, 3), 0, 255))
    return np.asarray(
        cv2.copyMakeBorder(sheet, border, border, border, border, cv2.BORDER_CONSTANT, value=tone), np.uint8
    )


def close_up(rng: Rng, sheet: Picture) -> Picture:
    """Return a few lines of a sheet that fill the frame: side light, shadow, often grey, sometimes out of focus."""
    lines = cropped(rng, sheet, (0.35, 1), (0.15, 0.8))
    part = cv2.resize(lines, (_SIDE, max(8, _SIDE * lines.shape[0] // lines.shape[1])))
    scene = _spoilt(rng, part.astype(np.float32) * rng.uniform(0.5, 1), blurred=0.4, grey=0.4)
    return _lit(rng, scene)


def photographed(rng: Rng, sheet: Picture, background: Picture) -> Picture:
    """Return a sheet that lies on something, seen at an angle, in uneven light."""
    size = (_SIDE, _SIDE) if rng.random() < 0.4 else (480, 640) if rng.random() < 0.7 else (640, 480)
    ground = cv2.resize(background, size, interpolation=cv2.INTER_AREA)
    height, width = sheet.shape[:2]
    outline = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(outline, _corners(rng, (width, height), size))
    laid = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size)[..., None]
    shadow = cv2.GaussianBlur(np.roll(cover[..., 0], (6, 8), (0, 1)), (0, 0), 9)[..., None]
    return _lit(rng, laid * cover + ground * (1 - cover) * (1 - 0.45 * shadow * (1 - cover)))


def plain_ground(rng: Rng) -> Picture:
    """Return a table top: one colour, with grain along one way, or with speckles."""
    ground = np.full((200, 200, 3), rng.integers(20, 235, 3), np.float32)
    if rng.random() < 0.6:
        ground += _waves(rng, (200, 200), 25, 0.8) * rng.uniform(4, 20)
    ground += rng.normal(0, rng.uniform(0, 9), ground.shape)
    return np.clip(ground, 0, 255).astype(np.uint8)


def surface(rng: Rng) -> Picture:
    """Return a thing without writing that fills the frame: cloth in folds, a wall, sand, snow, a sky."""
    height, width = ((480, 640), (640, 480), (360, 640))[rng.integers(3)]
    scene = np.full((height, width, 3), rng.uniform(30, 250) + rng.normal(0, 18, 3), np.float32)
    for _ in range(rng.integers(1, 4)):
        scene += _waves(rng, (height, width), *(2 ** rng.uniform(0, 7, 2))) * rng.uniform(2, 22)
    if rng.random() < 0.5:
        rows = np.sin(np.arange(height) / height * np.pi * rng.uniform(3, 60) + rng.uniform(0, 6)) ** 7
        scene += (rows * rng.uniform(-40, 25))[:, None, None]
    return _lit(rng, scene)


def cropped(rng: Rng, picture: Picture, across: tuple[float, float], down: tuple[float, float]) -> Picture:
    """Return a part of a picture, as wide and as high as bounds on its shares say."""
    height, width = picture.shape[:2]
    wide, high = max(16, int(width * rng.uniform(*across))), max(16, int(height * rng.uniform(*down)))
    top, left = rng.integers(0, max(1, height - high + 1)), rng.integers(0, max(1, width - wide + 1))
    return np.ascontiguousarray(picture[top : top + high, left : left + wide])


def camera_crop(rng: Rng, picture: Picture) -> Picture:
    """Return a part of a photo, sometimes mirrored or turned a quarter."""
    part = cropped(rng, picture, (0.45, 1), (0.45, 1))
    if rng.random() < 0.5:
        part = part[:, ::-1]
    return np.ascontiguousarray(np.rot90(part) if rng.random() < 0.06 else part)


def developed(rng: Rng, picture: Picture) -> Picture:
    """Change light and colour, blur, grey, and lose what JPEG loses."""
    image: Scene = picture.astype(np.float32)
    if rng.random() < 0.5:
        image = np.asarray((image - 128) * rng.uniform(0.6, 1.25) + 128 + rng.normal(0, 16), np.float32)
        image *= np.asarray(rng.normal(1, 0.05, 3), np.float32)
    image = _spoilt(rng, image, blurred=0.15, grey=0.08)
    blue_first = np.clip(image, 0, 255).astype(np.uint8)[:, :, ::-1]
    coded = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[:, :, ::-1], np.uint8)


def _spoilt(rng: Rng, scene: Scene, *, blurred: float, grey: float) -> Scene:
    if rng.random() < grey:
        scene[:] = scene.mean(axis=2, keepdims=True)
    if rng.random() < blurred:
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.6, 2.5)), np.float32)
    return scene


def _waves(rng: Rng, size: tuple[int, int], across: float, along: float) -> Scene:
    waves = cv2.GaussianBlur(rng.standard_normal(size, np.float32), (0, 0), sigmaX=across, sigmaY=along)
    return np.asarray(waves / max(float(waves.std()), 1e-6), np.float32)[..., None]


def _corners(rng: Rng, sheet: tuple[int, int], frame: tuple[int, int]) -> Scene:
    half = np.asarray(sheet) * min(frame[0] / sheet[0], frame[1] / sheet[1]) * rng.uniform(0.3, 0.56)
    corners = np.asarray([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half + rng.normal(0, 0.035 * half.min(), (4, 2))
    angle = np.deg2rad(rng.normal(0, 7) + (90 if rng.random() < 0.1 else 0))
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(corners @ turn.T + np.asarray(frame) / 2 + rng.normal(0, 22, 2), np.float32)


def _lit(rng: Rng, scene: Scene) -> Picture:
    """Let light fall off to one side, and add a sensor's noise."""
    rows, columns = np.mgrid[0 : scene.shape[0], 0 : scene.shape[1]] / max(scene.shape[:2])
    angle = rng.uniform(0, 2 * np.pi)
    fall = np.clip(rows * np.cos(angle) + columns * np.sin(angle), 0, 1)
    lit = scene * (1 - rng.uniform(0, 0.5) * fall[..., None]) * rng.uniform(0.6, 1.06) * rng.normal(1, 0.05, 3)
    lit = lit + rng.standard_normal(scene.shape, np.float32) * rng.uniform(0, 8)
    return np.asarray(np.clip(lit, 0, 255), np.uint8)
