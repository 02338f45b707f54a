"""Detections become faces."""

import numpy as np
import pytest

from inference.vision.faces import SHOW_SCORE, Floats, decode_faces, distinct
from inference.vision.pictures import Letterbox, Picture, letterbox


def _picture(width: int, height: int) -> Picture:
    return np.full((height, width, 3), 200, np.uint8)


def _candidates(*rows: tuple[tuple[float, float, float, float], float]) -> tuple[Floats, Floats, Floats]:
    boxes = np.asarray([box for box, _ in rows], np.float32).reshape(-1, 4)
    scores = np.asarray([score for _, score in rows], np.float32)
    points = np.repeat(boxes.reshape(-1, 2, 2).mean(1, keepdims=True), 5, axis=1)
    return boxes, scores, np.asarray(points, np.float32)


def test_a_wide_picture_lies_at_the_top_of_the_canvas() -> None:
    boxed = letterbox(_picture(1280, 960))

    assert (boxed.width, boxed.height) == (640, 480)
    assert boxed.canvas.shape == (640, 640, 3)
    assert boxed.canvas[:480].min() == 200
    assert boxed.canvas[480:].max() == 0


def test_a_small_picture_keeps_its_size() -> None:
    boxed = letterbox(_picture(100, 50))

    assert (boxed.width, boxed.height) == (100, 50)


def test_a_picture_of_three_pixels_can_be_letterboxed() -> None:
    boxed = letterbox(_picture(4000, 3))

    assert (boxed.width, boxed.height) == (640, 1)


def test_boxes_become_relative_to_the_picture() -> None:
    boxed = letterbox(_picture(1280, 960))

    (face,) = decode_faces(*_candidates(((64, 48, 128, 144), 0.9)), boxed)

    assert face.box == pytest.approx((0.1, 0.1, 0.1, 0.2))
    assert face.landmarks[0] == pytest.approx((0.15, 0.2))
    assert face.score == pytest.approx(0.9)


def test_a_box_that_leaves_the_picture_is_cut_at_its_edge() -> None:
    boxed = letterbox(_picture(1280, 960))

    (face,) = decode_faces(*_candidates(((-20, 400, 64, 560), 0.9)), boxed)

    assert face.box == pytest.approx((0, 400 / 480, 0.1, 80 / 480))


def test_a_box_in_the_black_of_the_canvas_is_no_face() -> None:
    boxed = letterbox(_picture(1280, 960))

    assert decode_faces(*_candidates(((100, 500, 200, 600), 0.9)), boxed) == ()


def test_candidates_below_the_threshold_are_left_out() -> None:
    boxed = Letterbox(np.zeros((640, 640, 3), np.uint8), 640, 640)

    faces = decode_faces(*_candidates(((0, 0, 50, 50), 0.51), ((200, 200, 250, 250), 0.49)), boxed)

    assert [face.score for face in faces] == pytest.approx([0.51])
    assert SHOW_SCORE == 0.5


def test_of_two_boxes_on_one_face_the_surer_one_stays() -> None:
    boxes = np.asarray([(0, 0, 100, 100), (5, 5, 105, 105), (300, 0, 400, 100)], np.float32)

    assert distinct(boxes).tolist() == [0, 2]


def test_a_box_is_measured_against_those_that_stay_only() -> None:
    chain = np.asarray([(0, 0, 100, 100), (40, 0, 140, 100), (80, 0, 180, 100)], np.float32)

    assert distinct(chain).tolist() == [0, 2]


def test_no_candidates_give_no_faces() -> None:
    boxed = letterbox(_picture(64, 64))

    assert decode_faces(*_candidates(), boxed) == ()
