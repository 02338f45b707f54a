"""Makes a camera's picture of a flat sheet, and what cameras and messengers do to any picture."""

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Picture

Rng = np.random.Generator
_SIDE = 640


def scanned(rng: Rng, sheet: Picture) -> Picture:
    """A sheet that fills the frame, or is cut by it."""
    height, width = sheet.shape[:2]
    if rng.random() < 0.35:
        high, wide = int(height * rng.uniform(0.5, 1)), int(width * rng.uniform(0.7, 1))
        top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
        sheet = sheet[top : top + high, left : left + wide]
    border = int(rng.choice([0, 0, rng.integers(4, 60)]))
    tone = tuple(int(v) for v in np.clip(rng.normal(rng.choice([245, 120, 40]), 8, 3), 0, 255))
    return np.asarray(
        cv2.copyMakeBorder(sheet, border, border, border, border, cv2.BORDER_CONSTANT, value=tone), np.uint8
    )


def close_up(rng: Rng, sheet: Picture) -> Picture:
    """A few lines of a sheet that fills the frame: side light, shadow, often grey, sometimes out of focus."""
    height, width = sheet.shape[:2]
    wide = int(width * rng.uniform(0.35, 1))
    high = min(height, int(wide * rng.uniform(0.4, 1.2)))
    top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
    part = cv2.resize(sheet[top : top + high, left : left + wide], (_SIDE, max(8, _SIDE * high // wide)))
    if rng.random() < 0.4:
        part = cv2.GaussianBlur(part, (0, 0), rng.uniform(0.8, 2.5))
    scene = part.astype(np.float32) * rng.uniform(0.5, 1)
    if rng.random() < 0.4:
        scene[:] = scene.mean(axis=2, keepdims=True)
    return _light(rng, scene)


def photographed(rng: Rng, sheet: Picture, background: Picture) -> Picture:
    """A sheet that lies on something, seen at an angle, in uneven light."""
    size = (_SIDE, _SIDE) if rng.random() < 0.4 else (480, 640) if rng.random() < 0.7 else (640, 480)
    ground = cv2.resize(background, size, interpolation=cv2.INTER_AREA)
    height, width = sheet.shape[:2]
    matrix = cv2.getPerspectiveTransform(
        np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float32),
        _corners(rng, (width, height), size),
    )
    laid = cv2.warpPerspective(sheet, matrix, size, flags=cv2.INTER_AREA).astype(np.float32)
    cover = cv2.warpPerspective(np.ones((height, width), np.float32), matrix, size)[..., None]
    shadow = cv2.GaussianBlur(np.roll(cover[..., 0], (6, 8), (0, 1)), (0, 0), 9)[..., None]
    scene = laid * cover + ground * (1 - cover) * (1 - 0.45 * shadow * (1 - cover))
    return _light(rng, scene)


def plain_ground(rng: Rng) -> Picture:
    """A table top: one colour, with grain along one way, or with speckles."""
    colour = rng.integers(20, 235, 3).astype(np.float32)
    ground = np.broadcast_to(colour, (200, 200, 3)).copy()
    if rng.random() < 0.6:
        grain = cv2.GaussianBlur(rng.normal(0, 60, (200, 200)).astype(np.float32), (0, 0), sigmaX=25, sigmaY=0.8)
        ground += grain[..., None] * rng.uniform(0.4, 2)
    ground += rng.normal(0, rng.uniform(0, 9), ground.shape)
    return np.clip(ground, 0, 255).astype(np.uint8)


def surface(rng: Rng) -> Picture:
    """A thing without writing that fills the frame: cloth in folds, a wall, sand, snow, a lit or a dark sky."""
    height, width = ((480, 640), (640, 480), (360, 640))[rng.integers(3)]
    scene = np.full((height, width, 3), rng.uniform(30, 250), np.float32) + np.asarray(rng.normal(0, 18, 3), np.float32)
    for _ in range(rng.integers(1, 4)):
        across, along = 2 ** rng.uniform(0, 7, 2)
        waves = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), sigmaX=across, sigmaY=along)
        scene += (waves / max(float(waves.std()), 1e-6) * rng.uniform(2, 22))[..., None]
    if rng.random() < 0.5:
        rows = np.sin(np.arange(height) / height * np.pi * rng.uniform(3, 60) + rng.uniform(0, 6)) ** 7
        scene += (rows * rng.uniform(-40, 25))[:, None, None]
    return _light(rng, scene if rng.random() < 0.5 else np.ascontiguousarray(scene[:, ::-1]))


def detail(rng: Rng, picture: Picture) -> Picture:
    """A small part of a photo that fills the frame."""
    height, width = picture.shape[:2]
    share = rng.uniform(0.08, 0.4)
    high, wide = max(16, int(height * share)), max(16, int(width * share))
    top, left = rng.integers(0, max(1, height - high)), rng.integers(0, max(1, width - wide))
    return np.ascontiguousarray(picture[top : top + high, left : left + wide])


def camera_crop(rng: Rng, picture: Picture) -> Picture:
    """A part of a photo, sometimes mirrored or turned a quarter."""
    height, width = picture.shape[:2]
    share = rng.uniform(0.45, 1) if rng.random() < 0.6 else 1.0
    high, wide = max(1, int(height * share)), max(1, int(width * share))
    top, left = rng.integers(0, height - high + 1), rng.integers(0, width - wide + 1)
    part = picture[top : top + high, left : left + wide]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    if rng.random() < 0.06:
        part = np.rot90(part)
    return np.ascontiguousarray(part)


def developed(rng: Rng, picture: Picture) -> Picture:
    """Changes of light and colour, blur, grey, and the losses of JPEG."""
    image: NDArray[np.float32] = picture.astype(np.float32)
    if rng.random() < 0.5:
        image = np.asarray((image - 128) * rng.uniform(0.6, 1.25) + 128 + rng.normal(0, 16), np.float32)
        image *= np.asarray(rng.normal(1, 0.05, 3), np.float32)
    if rng.random() < 0.08:
        image[:] = image.mean(axis=2, keepdims=True)
    if rng.random() < 0.15:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.5)), np.float32)
    blue_first = np.clip(image, 0, 255).astype(np.uint8)[:, :, ::-1]
    coded = cv2.imencode(".jpg", blue_first, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 96))])[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[:, :, ::-1], np.uint8)


def _corners(rng: Rng, sheet: tuple[int, int], frame: tuple[int, int]) -> NDArray[np.float32]:
    scale = min(frame[0] / sheet[0], frame[1] / sheet[1]) * rng.uniform(0.6, 1.12)
    half = np.asarray(sheet) * scale / 2
    corners = np.asarray([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    corners += rng.normal(0, 0.035 * half.min(), (4, 2))
    angle = np.deg2rad(rng.normal(0, 7) + (90 if rng.random() < 0.1 else 0))
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.asarray(frame) / 2 + rng.normal(0, 22, 2)
    return np.asarray(corners @ turn.T + middle, np.float32)


def _light(rng: Rng, scene: NDArray[np.float32]) -> Picture:
    rows, columns = np.mgrid[0 : scene.shape[0], 0 : scene.shape[1]] / max(scene.shape[:2])
    angle = rng.uniform(0, 2 * np.pi)
    fall = np.clip(rows * np.cos(angle) + columns * np.sin(angle), 0, 1)
    lit = scene * (1 - rng.uniform(0, 0.5) * fall[..., None]) * rng.uniform(0.6, 1.06) * rng.normal(1, 0.05, 3)
    lit = lit + rng.standard_normal(scene.shape, np.float32) * rng.uniform(0, 8)
    return np.asarray(np.clip(lit, 0, 255), np.uint8)
