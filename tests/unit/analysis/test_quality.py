import cv2
import numpy as np
import pytest

from inference.vision.pictures import Picture
from services.analysis.vision import quality
from services.analysis.vision.decoding import shrink
from tests.unit.analysis.photos import blurred, moved, pixels

NAMES = ["astronaut", "chelsea", "coffee", "rocket", "motorcycle_left"]


def gray(picture: Picture, side: int = quality.SHARPNESS_SIDE) -> Picture:
    return np.asarray(cv2.cvtColor(shrink(picture, side), cv2.COLOR_RGB2GRAY), np.uint8)


def hash_of(picture: Picture) -> int:
    return quality.perceptual_hash(np.asarray(cv2.resize(gray(picture), (32, 32), interpolation=cv2.INTER_AREA)))


def bits_between(one: Picture, other: Picture) -> int:
    return (hash_of(one) ^ hash_of(other)).bit_count()


def motion(picture: Picture, length: int, *, down: bool) -> Picture:
    shape = (length, 1) if down else (1, length)
    return np.asarray(cv2.filter2D(picture, -1, np.full(shape, 1 / length, np.float32)), np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_the_more_blurred_the_less_sharp(name: str) -> None:
    scores = [quality.sharpness(gray(blurred(pixels(name), share))) for share in (0.0008, 0.0015, 0.003, 0.006)]
    assert sorted(scores, reverse=True) == scores
    assert quality.sharpness(gray(pixels(name))) > scores[1]


def test_blurred_photos_and_crisp_photos_do_not_mix() -> None:
    crisp = [quality.sharpness(gray(pixels(name))) for name in NAMES]
    soft = [quality.sharpness(gray(blurred(pixels(name), 0.004))) for name in NAMES]
    assert min(crisp) > 0.4
    assert max(soft) < 0.25


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("down", [True, False])
def test_motion_in_one_direction_is_a_blur(name: str, down: bool) -> None:
    assert quality.sharpness(gray(motion(pixels(name), 11, down=down))) < 0.6 * quality.sharpness(gray(pixels(name)))


@pytest.mark.parametrize("name", NAMES)
def test_darkness_is_no_blur(name: str) -> None:
    dark = np.asarray(pixels(name) * 0.5, np.uint8)
    assert quality.sharpness(gray(dark)) == pytest.approx(quality.sharpness(gray(pixels(name))), abs=0.12)


def test_a_picture_without_edges_is_not_sharp() -> None:
    assert quality.sharpness(np.full((300, 400), 128, np.uint8)) == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 512), (2, 2), (512, 3)])
def test_tiny_pictures_can_be_measured(size: tuple[int, int]) -> None:
    assert 0 <= quality.sharpness(np.zeros(size, np.uint8)) <= 1


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee"])
def test_a_good_exposure_is_better_than_a_dark_or_a_burnt_one(name: str) -> None:
    good = quality.exposure(gray(pixels(name)))
    dark = quality.exposure(gray(moved(pixels(name), gain=0.2)))
    burnt = quality.exposure(gray(np.clip(pixels(name).astype(int) * 2 + 110, 0, 255).astype(np.uint8)))
    assert good > 0.8
    assert max(dark, burnt) < 0.5 * good


@pytest.mark.parametrize("value", [0, 255])
def test_black_and_white_are_not_exposed_at_all(value: int) -> None:
    assert quality.exposure(np.full((30, 40), value, np.uint8)) == 0


@pytest.mark.parametrize("name", NAMES)
def test_shots_of_a_burst_have_near_hashes(name: str) -> None:
    shots = [
        moved(pixels(name), shift=0.03),
        moved(pixels(name), zoom=1.04),
        moved(pixels(name), gain=1.2),
        blurred(pixels(name), 0.004),
    ]
    assert max(bits_between(pixels(name), shot) for shot in shots) <= 14


def test_different_scenes_have_far_hashes() -> None:
    scenes = ["astronaut", "chelsea", "coffee", "rocket", "motorcycle_left"]
    pairs = [(one, other) for index, one in enumerate(scenes) for other in scenes[:index]]
    assert min(bits_between(pixels(one), pixels(other)) for one, other in pairs) >= 20
