from dataclasses import replace

import cv2
import numpy as np
import pytest

from deploy.samples.developing import ShotSettings, develop, nudged
from deploy.samples.layout import seeded
from deploy.samples.sources import Pixels

LOOK = ShotSettings(long_side=160, grain=0.0)


@pytest.fixture
def source() -> Pixels:
    coarse = seeded("test").integers(0, 255, (48, 64, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def sharpness(pixels: Pixels) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


@pytest.mark.parametrize(
    ("aspect", "shape"), [(4 / 3, (120, 160, 3)), (3 / 4, (160, 120, 3)), (1.0, (160, 160, 3)), (0.0, (120, 160, 3))]
)
def test_the_result_has_the_size_that_was_asked_for(source: Pixels, aspect: float, shape: tuple[int, int, int]) -> None:
    assert develop(source, replace(LOOK, aspect=aspect), seeded("a")).shape == shape


def test_the_same_seed_develops_the_same_picture(source: Pixels) -> None:
    look = replace(LOOK, grain=3.0, turn=3.0)
    assert np.array_equal(develop(source, look, seeded("a")), develop(source, look, seeded("a")))


@pytest.mark.parametrize("spoilt", [replace(LOOK, motion=0.08), replace(LOOK, defocus=0.03)])
def test_a_spoilt_picture_is_less_sharp(source: Pixels, spoilt: ShotSettings) -> None:
    assert spoilt.blurred
    assert sharpness(develop(source, spoilt, seeded("a"))) < sharpness(develop(source, LOOK, seeded("a"))) / 2


def test_less_light_makes_a_darker_picture(source: Pixels) -> None:
    dark = develop(source, replace(LOOK, exposure=-3.0), seeded("a"))
    assert dark.mean() < develop(source, LOOK, seeded("a")).mean() / 2


def test_a_frame_of_a_burst_is_nearly_the_same_picture_but_not_quite(source: Pixels) -> None:
    first = develop(source, LOOK, seeded("a"))
    second = develop(source, nudged(LOOK, seeded("b")), seeded("b"))
    assert not np.array_equal(first, second)
    small = [cv2.resize(frame, (9, 8), interpolation=cv2.INTER_AREA).astype(float) for frame in (first, second)]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.9


def test_a_mirrored_picture_is_the_other_way_round(source: Pixels) -> None:
    mirrored = develop(source, replace(LOOK, mirrored=True), seeded("a"))
    straight = develop(source, LOOK, seeded("a"))
    assert np.abs(mirrored[:, ::-1].astype(int) - straight).mean() < 3
