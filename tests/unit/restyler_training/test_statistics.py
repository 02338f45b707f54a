"""The statistics tell strokes apart, and the sheet shows what it should."""

import numpy as np
import pytest

from inference.training.restyler.contact_sheet import cut, laid_out
from inference.training.restyler.evaluate import colours, directions, same_strokes, spectrum


def stripes(period: int, *, upright: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    wave = (127 + 100 * np.sin(2 * np.pi * np.arange(128) / period)).astype(np.uint8)
    picture = np.broadcast_to(wave[None, :] if upright else wave[:, None], (128, 128))
    return np.repeat(picture[..., None], 3, 2)


def test_directions_tell_upright_from_level_lines() -> None:
    upright, level = (directions(stripes(8, upright=flag)) for flag in (True, False))
    assert upright.argmax() != level.argmax()
    assert upright.sum() == pytest.approx(1)


def test_the_spectrum_tells_fine_from_broad_lines() -> None:
    fine, broad = (spectrum(stripes(period, upright=True)) for period in (4, 32))
    assert fine.argmax() > broad.argmax()


def test_colours_of_grey_have_no_hue() -> None:
    assert np.abs(colours(stripes(8, upright=True))[[1, 2, 4, 5]]).max() < 0.1


def test_a_picture_has_the_strokes_of_itself_and_not_of_its_negative() -> None:
    picture = stripes(5, upright=True)
    assert same_strokes(picture, picture) == pytest.approx(1)
    assert same_strokes(picture, (255 - picture).astype(np.uint8)) == pytest.approx(-1)


def test_a_cut_stays_inside_the_picture() -> None:
    picture = np.arange(100 * 80 * 3, dtype=np.uint32).reshape(100, 80, 3).astype(np.uint8)
    assert np.array_equal(cut(picture, (0.0, 1.0), 40), picture[60:, :40])


def test_squares_are_laid_out_in_rows() -> None:
    square = np.zeros((10, 10, 3), np.uint8)
    sheet = laid_out([[square, square], [square, square], [square, square]])
    assert sheet.shape == (42, 26, 3)
    assert sheet[10:16].min() == 255
