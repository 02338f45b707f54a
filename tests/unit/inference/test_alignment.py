"""Faces are turned upright and cut out."""

import numpy as np
import pytest

from inference.vision.alignment import CHIP_SIDE, TEMPLATE, Points, face_chip, similarity

_TEMPLATE = np.asarray(TEMPLATE)


def _turned(points: Points, degrees: float, scale: float) -> Points:
    angle = np.deg2rad(degrees)
    turn = np.asarray([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ turn.T * scale)


@pytest.mark.parametrize("degrees", [0, 30, -90, 179])
def test_the_similarity_undoes_a_turn_a_scale_and_a_shift(degrees: float) -> None:
    moved = _turned(_TEMPLATE, degrees, 2.5) + np.asarray((40, -7))

    matrix = similarity(moved, _TEMPLATE)

    assert np.column_stack([moved, np.ones(5)]) @ matrix.T == pytest.approx(_TEMPLATE, abs=1e-6)


def test_a_mirrored_face_is_not_mirrored_back() -> None:
    matrix = similarity(_TEMPLATE * np.asarray((-1.0, 1.0)), _TEMPLATE)

    assert np.linalg.det(matrix[:, :2]) > 0


def test_points_that_coincide_give_a_finite_matrix() -> None:
    assert np.isfinite(similarity(np.full((5, 2), 12.0), _TEMPLATE)).all()


@pytest.mark.parametrize("side", [200, 600, 2400])
def test_landmarks_land_where_the_embedder_expects_them(side: int) -> None:
    picture = np.zeros((side, side, 3), np.uint8)
    landmarks = (_TEMPLATE / CHIP_SIDE * 0.5) + 0.3
    radius = side // 60
    for x, y in (landmarks * side).astype(int):
        picture[y - radius : y + radius + 1, x - radius : x + radius + 1] = 255

    chip = face_chip(picture, landmarks)

    assert chip.shape == (CHIP_SIDE, CHIP_SIDE, 3)
    for x, y in _TEMPLATE.astype(int):
        assert chip[y, x, 0] > 200
    assert chip[130:, :, 0].max() == 0


def test_a_face_beyond_the_edge_repeats_the_edge() -> None:
    picture = np.full((80, 80, 3), 90, np.uint8)

    chip = face_chip(picture, _TEMPLATE / CHIP_SIDE + 0.7)

    assert chip.min() == chip.max() == 90
