"""Lines of text are found on the detector's map, cut out upright, and put together from what the reader says."""

import cv2
import numpy as np
import pytest

from inference.model_build.golden import golden
from inference.model_build.manifest import shipped_model
from inference.vision.pictures import Letterbox, Picture
from inference.vision.reading import Words, characters, joined, words_of
from inference.vision.text import (
    LINE_HEIGHT,
    LINE_WIDTH,
    MOST_LINES,
    TextBox,
    in_reading_order,
    line_pictures,
    text_area,
    text_boxes,
    worth_reading,
)

_BOXED = Letterbox(np.zeros((640, 640, 3), np.uint8), 640, 320)


def _map(*hearts: tuple[int, int, int, int], value: int = 240) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Draws hearts of lines: left, top, right, bottom."""
    found = np.zeros((640, 640), np.uint8)
    for left, top, right, bottom in hearts:
        found[top:bottom, left:right] = value
    return found


def _box(left: float, top: float, right: float, bottom: float) -> TextBox:
    return TextBox(np.asarray([[left, top], [right, top], [right, bottom], [left, bottom]]), 0.9)


def test_a_heart_grows_back_to_its_line() -> None:
    (box,) = text_boxes(_map((100, 100, 300, 110)), _BOXED)

    left, top, width, height = box.bounds
    grown = 200 * 10 * 1.6 / 210  # Liao et al. 2020: area x 1.6 / circumference, on each side
    assert width * 640 == pytest.approx(200 + grown, abs=2)
    assert height * 320 == pytest.approx(10 + grown, abs=2)
    assert (left * 640, top * 320) == pytest.approx((100 - grown / 2, 100 - grown / 2), abs=2)
    assert 0.8 < box.score <= 240 / 255


def test_a_slanting_line_keeps_its_slant() -> None:
    found = _map()
    cv2.line(found, (100, 100), (400, 160), (255.0,), 9)

    (box,) = text_boxes(found, _BOXED)

    begins, ends = box.corners[0] * (640, 320), box.corners[1] * (640, 320)
    assert np.degrees(np.arctan2(*(ends - begins)[::-1])) == pytest.approx(11.3, abs=1)


@pytest.mark.parametrize(
    "found",
    [
        _map(),
        _map((100, 100, 300, 110), value=60),  # below the pixel's threshold
        _map((100, 100, 300, 110), value=100),  # below the box's threshold
        _map((100, 100, 101, 101)),  # a speck
        _map((100, 20, 500, 300)),  # an animal
        _map((100, 400, 300, 410)),  # below the picture, on the canvas
    ],
)
def test_what_is_no_line_is_not_found(found: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    assert text_boxes(found, _BOXED) == ()


def test_lines_come_in_reading_order() -> None:
    boxes = [_box(0.6, 0.11, 0.9, 0.15), _box(0.1, 0.3, 0.4, 0.34), _box(0.1, 0.1, 0.4, 0.14)]

    assert in_reading_order(boxes) == (boxes[2], boxes[0], boxes[1])


def test_the_area_is_the_share_of_the_picture() -> None:
    assert text_area([_box(0, 0, 1, 0.1), _box(0, 0.2, 0.5, 0.3)]) == pytest.approx(0.15)
    assert text_area([]) == 0


def test_only_the_largest_lines_are_read_and_keep_their_order() -> None:
    small = [_box(0.1, 0.01 * n, 0.12, 0.01 * n + 0.005) for n in range(MOST_LINES)]
    large = [_box(0.2, 0.5, 0.9, 0.6), _box(0.2, 0.7, 0.9, 0.8)]

    kept = worth_reading([large[0], *small, large[1]])

    assert len(kept) == MOST_LINES
    assert (kept[0], kept[-1]) == tuple(large)


def _paper() -> Picture:
    picture = np.full((400, 1200, 3), 240, np.uint8)
    cv2.putText(picture, "word word word word word word", (20, 100), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (0, 0, 0), 4)
    return picture


def test_a_short_line_stands_at_the_left_of_its_canvas() -> None:
    (line,) = line_pictures(_paper(), _box(0, 0.1, 0.125, 0.3))

    assert line.shape == (LINE_HEIGHT, LINE_WIDTH, 3)
    assert (line[:, 91:] == 127).all()
    assert line[:, :88].min() < 60


def test_a_long_line_is_cut_between_its_words() -> None:
    pieces = line_pictures(_paper(), _box(0, 0.1, 1, 0.3))

    assert len(pieces) > 1
    for piece in pieces[:-1]:
        (end,) = np.flatnonzero((piece == 127).all((0, 2)))[:1]
        assert piece[10:-10, end - 3 : end].min() > 200  # no letter is cut through


def test_a_line_that_runs_down_is_turned() -> None:
    picture = np.full((600, 600, 3), 240, np.uint8)
    picture[300:590, 100:140] = (250, 0, 0)
    picture[10:300, 100:140] = (0, 0, 250)

    (line,) = line_pictures(picture, _box(100 / 600, 10 / 600, 140 / 600, 590 / 600))[:1]

    assert line[24, 20, 0] < 50  # what stood above, in blue, comes first


def test_a_box_without_a_side_gives_nothing_to_read() -> None:
    assert line_pictures(_paper(), _box(0.5, 0.1, 0.5, 0.3)) == []


def test_repeats_are_one_and_gaps_part_them() -> None:
    e, g = characters().index("e"), characters().index("g")
    tokens = np.asarray([0, e, e, 0, g, 0, g, 0, 0], np.int32)

    found = words_of(tokens, np.asarray([1, 0.8, 0.1, 1, 0.6, 1, 0.7, 1, 1], np.float32))

    assert found.text == "egg"
    assert found.score == pytest.approx(0.7)


def test_nothing_read_is_nothing_sure() -> None:
    assert words_of(np.zeros(5, np.int32), np.ones(5, np.float32)) == Words("", 0.0)


def test_the_pieces_of_a_line_are_joined_by_their_lengths() -> None:
    found = joined([Words("ab", 0.5), Words("", 0.0), Words("abcdef", 0.9)])

    assert found.text == "ab abcdef"
    assert found.score == pytest.approx(0.8)
    assert joined([]) == Words("", 0.0)


def test_the_known_question_of_the_reader_is_a_word() -> None:
    pair = golden(shipped_model("text_reader"))

    words = words_of(pair.answers["tokens"][0], pair.answers["scores"][0])

    assert pair.inputs["line"].shape == (1, LINE_HEIGHT, LINE_WIDTH, 3)
    assert (words.text, words.score > 0.9) == ("PELLICULE", True)
