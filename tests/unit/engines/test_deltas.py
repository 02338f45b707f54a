"""Distances in the terms of a model's task."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.engines.deltas import METRICS, Limit, Tensors, deltas

FACE = (100.0, 100.0, 200.0, 220.0)
OTHER = (300.0, 50.0, 380.0, 140.0)


def faces(*found: tuple[tuple[float, ...], float]) -> dict[str, NDArray[np.float64]]:
    """Make a detector's output: boxes and scores, padded with candidates of no score; points are the corners."""
    boxes = np.zeros((1, 4, 4))
    scores = np.zeros((1, 4))
    for index, (box, score) in enumerate(found):
        boxes[0, index], scores[0, index] = box, score
    return {"boxes": boxes, "scores": scores, "landmarks": boxes.reshape(1, 4, 2, 2)}


def moved(box: tuple[float, ...], by: float) -> tuple[float, ...]:
    return tuple(side + by for side in box)


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_an_equal_answer_is_no_distance_away(metric: str) -> None:
    answer = faces((FACE, 0.9), (OTHER, 0.6))

    assert METRICS[metric](answer, answer, "boxes") == pytest.approx(0, abs=1e-9)


def test_faces_in_another_order_are_the_same_faces() -> None:
    got, want = faces((FACE, 0.7), (OTHER, 0.69)), faces((OTHER, 0.7), (FACE, 0.69))

    assert METRICS["box_loss"](got, want, "boxes") == 0
    assert METRICS["sure_point_difference"](got, want, "landmarks") == 0


def test_a_lost_face_and_a_new_one_are_the_worst() -> None:
    one, two = faces((FACE, 0.9)), faces((FACE, 0.9), (OTHER, 0.8))

    assert METRICS["box_loss"](one, two, "boxes") == METRICS["box_loss"](two, one, "boxes") == 1


def test_a_moved_face_loses_its_overlap_and_its_points() -> None:
    got, want = faces((moved(FACE, 5), 0.9)), faces((FACE, 0.9))

    assert METRICS["box_loss"](got, want, "boxes") == pytest.approx(1 - 95 * 115 / (2 * 100 * 120 - 95 * 115))
    assert METRICS["sure_point_difference"](got, want, "landmarks") == pytest.approx(5 * np.sqrt(2))


def test_candidates_that_nobody_is_shown_do_not_count() -> None:
    got, want = faces((FACE, 0.9), (OTHER, 0.3)), faces((FACE, 0.9), (moved(OTHER, 40), 0.2))

    assert METRICS["box_loss"](got, want, "boxes") == 0
    assert METRICS["sure_score_difference"](got, want, "scores") == 0


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("largest_difference", 2.0),
        ("mean_difference", 1.0),
        ("euclidean", 2.0),
        ("cosine", 1.0),
        ("relative_rms", 1.0),
        ("disagreement", 1.0),
    ],
)
def test_distances_of_vectors(metric: str, expected: float) -> None:
    got, want = {"v": np.asarray([[0.0, 2.0]])}, {"v": np.asarray([[2.0, 2.0]])}
    if metric in {"cosine", "disagreement"}:
        got, want = {"v": np.asarray([[0.0, 2.0]])}, {"v": np.asarray([[2.0, 0.0]])}
    if metric == "relative_rms":
        want = {"v": np.asarray([[0.0, 1.0]])}

    assert METRICS[metric](got, want, "v") == pytest.approx(expected)


def test_the_worst_probe_is_named() -> None:
    probes = ["near", "far"]
    want: list[Tensors] = [{"v": np.zeros((1, 2))}] * 2
    got: list[Tensors] = [{"v": np.full((1, 2), 0.1)}, {"v": np.full((1, 2), 0.4)}]

    (delta,) = deltas([Limit(output="v", metric="largest_difference", most=0.3)], probes, got, want)

    assert (delta.probe, delta.value, delta.holds) == ("far", 0.4, False)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_an_answer_that_is_no_number_keeps_no_limit(number: float) -> None:
    limit = Limit(output="v", metric="disagreement", most=1.0)

    (delta,) = deltas([limit], ["one"], [{"v": np.asarray([[number, 0.0]])}], [{"v": np.zeros((1, 2))}])

    assert not delta.holds


def test_a_line_reads_the_same_when_only_its_steps_moved() -> None:
    want = {"tokens": np.asarray([[0, 5, 5, 0, 7, 7, 0]])}

    assert METRICS["misread"]({"tokens": np.asarray([[5, 0, 0, 7, 7, 7, 0]])}, want, "tokens") == 0
    assert METRICS["misread"]({"tokens": np.asarray([[5, 0, 5, 7, 7, 7, 0]])}, want, "tokens") == 1
