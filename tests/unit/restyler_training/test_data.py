"""Paintings are made once, are the same each time, and give crops that fit together."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference.training.restyler.configuration import read_configuration
from inference.training.restyler.data import Crops, photo_files, read_photo, render
from inference.training.restyler.painters.popart import SCREEN_PERIOD
from inference.training.restyler.styles import STYLES


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(1)
    for index in range(2):
        patches = Image.fromarray(random.integers(0, 255, (4, 5, 3), np.uint8))
        patches.resize((250, 200), Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return photo_files(folder)


def test_a_photo_is_read_in_multiples_of_eight(photos: list[Path]) -> None:
    assert read_photo(photos[0], 100).shape == (80, 96, 3)


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert read_photo(tmp_path / "clear.png", 64).min() == 255


def test_paintings_are_the_same_each_time_and_made_once(photos: list[Path], tmp_path: Path) -> None:
    first, second = (list(render(photos, tmp_path / name, 2, 160, 5)) for name in ("first", "second"))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(np.load(one), np.load(other))
    made = [path.stat().st_mtime_ns for path in first]
    list(render(photos, tmp_path / "first", 2, 160, 5))
    assert [path.stat().st_mtime_ns for path in first] == made


def test_a_crop_is_cut_from_one_place_of_photo_painting_and_noise(photos: list[Path], tmp_path: Path) -> None:
    path = next(iter(render(photos, tmp_path / "paintings", 1, 160, 5)))
    pictures, noise = np.load(path), np.load(path.with_suffix(".noise.npy"))
    weights = np.zeros(len(STYLES))
    weights[2] = 1
    crop = Crops(tmp_path / "paintings", 64, weights).draw(np.random.default_rng(1))
    assert crop.style == 2
    places = [
        (top, left)
        for top in range(0, pictures.shape[1] - 63, SCREEN_PERIOD)
        for left in range(0, pictures.shape[2] - 63, SCREEN_PERIOD)
        if np.array_equal(pictures[0, top : top + 64, left : left + 64], crop.photo)
    ]
    top, left = places[0]
    assert np.array_equal(pictures[3, top : top + 64, left : left + 64], crop.painting)
    assert np.array_equal(noise[top : top + 64, left : left + 64].astype(np.float32), crop.noise)


def test_the_sheet_shows_held_out_photos_alone() -> None:
    configuration = read_configuration()
    assert set(configuration.sheet) <= configuration.held_out
