"""Every painter paints any photo, the same one from the same noise, and its style can be told by numbers."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from inference.training.restyler.painters import popart
from inference.training.restyler.painters.grain import nearest, seeds, soft
from inference.training.restyler.styles import STYLES

Pixels = NDArray[np.uint8]


def scene(height: int = 96, width: int = 128) -> Pixels:
    """Make a sky, a hill and a sun."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:] = np.linspace([90, 140, 230], [190, 215, 250], height)[:, None].astype(np.uint8)
    cv2.circle(picture, (width // 4, height // 4), height // 8, (250, 220, 90), -1)
    cv2.ellipse(picture, (width // 2, height), (width, height // 2), 0, 180, 360, (60, 110, 40), -1)
    return picture


def noise(seed: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def fine(picture: Pixels) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 2)).mean())


@pytest.mark.parametrize("style", STYLES)
def test_a_painting_has_the_size_of_its_photo(style: str) -> None:
    painting = STYLES[style](scene(), noise(1, (96, 128, 3)))
    assert painting.shape == (96, 128, 3)
    assert painting.dtype == np.uint8


@pytest.mark.parametrize("style", STYLES)
def test_the_same_noise_gives_the_same_painting(style: str) -> None:
    first, second = (STYLES[style](scene(), noise(2, (96, 128, 3))) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("style", [name for name in STYLES if name != "pop-art"])
def test_another_noise_gives_other_strokes(style: str) -> None:
    first, second = (STYLES[style](scene(), noise(seed, (96, 128, 3))) for seed in (3, 4))
    assert np.abs(first.astype(int) - second).mean() > 1


@pytest.mark.parametrize("style", STYLES)
def test_a_painter_leaves_photo_and_noise_as_they_were(style: str) -> None:
    photo, chance = scene(), noise(5, (96, 128, 3))
    kept = photo.copy(), chance.copy()
    STYLES[style](photo, chance)
    assert np.array_equal(photo, kept[0])
    assert np.array_equal(chance, kept[1])


@pytest.mark.parametrize("style", STYLES)
def test_a_painting_has_more_strokes_than_its_photo(style: str) -> None:
    assert fine(STYLES[style](scene(), noise(6, (96, 128, 3)))) > 1.5 * fine(scene())


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_plain_photo_can_be_painted(style: str, level: int) -> None:
    painting = STYLES[style](np.full((64, 72, 3), level, np.uint8), noise(7, (64, 72, 3)))
    assert painting.shape == (64, 72, 3)


def test_pencil_and_linocut_are_without_colour() -> None:
    for style in ("pencil", "linocut"):
        painting = STYLES[style](scene(), noise(8, (96, 128, 3)))
        assert np.ptp(painting.astype(int), axis=2).max() < 40


def test_linocut_is_ink_or_paper() -> None:
    light = STYLES["linocut"](scene(), noise(9, (96, 128, 3))).mean(2)
    assert ((light < 60) | (light > 190)).mean() > 0.85


def test_seeds_keep_their_distance() -> None:
    rows, columns = seeds(noise(10, (128, 128)), 8)
    points = np.stack([rows, columns], 1).astype(float)
    apart = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 4
    assert np.median(apart.min(1)) < 12


def test_each_pixel_belongs_to_its_nearest_seed() -> None:
    rows, columns = np.array([2, 13]), np.array([3, 12])
    number, distance = nearest((16, 16), rows, columns)
    assert number[2, 3] == 0
    assert number[15, 15] == 1
    assert distance[2, 3] == 0
    assert distance[2, 5] == pytest.approx(2, abs=0.1)


def test_softened_noise_keeps_its_spread() -> None:
    assert soft(noise(11, (256, 256)), 4.0).std() == pytest.approx(1, abs=0.15)


def test_the_printers_screen_repeats_where_crops_may_begin() -> None:
    screen = popart.screen(64, 64)
    period = popart.SCREEN_PERIOD
    assert np.allclose(screen[period:, period:], screen[:-period, :-period], atol=1e-4)
