"""How far two answers of one model lie apart, in the terms of its task; 0 is equal, larger is worse."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

Tensors = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
Metric = Callable[[Tensors, Tensors, str], float]
"""(answer, reference, output) -> distance; every array has the batch first."""

_SURE: Final = 0.5  # candidates above it are shown; the order of weaker ones means nothing
_TEXT: Final = 0.3 * 255  # from here on a pixel of a text map is text
_UNSURE: Final = 0.45  # a face that comes or goes between the two is no loss, its score says how close it was


def largest_difference(got: Tensors, want: Tensors, output: str) -> float:
    """The largest absolute difference of any number."""
    return float(np.max(np.abs(_floats(got, output) - _floats(want, output)), initial=0.0))


def mean_difference(got: Tensors, want: Tensors, output: str) -> float:
    """The mean absolute difference."""
    return float(np.mean(np.abs(_floats(got, output) - _floats(want, output))))


def flipped(got: Tensors, want: Tensors, output: str) -> float:
    """The share of a byte map's pixels that are text in one answer alone."""
    return float(np.mean((_floats(got, output) >= _TEXT) != (_floats(want, output) >= _TEXT)))


def euclidean(got: Tensors, want: Tensors, output: str) -> float:
    """The largest Euclidean distance of two vectors, as descriptors are compared."""
    return float(np.max(np.linalg.norm(_rows(got, output) - _rows(want, output), axis=1)))


def cosine(got: Tensors, want: Tensors, output: str) -> float:
    """The largest cosine distance of two vectors, as embeddings are compared."""
    a, b = _rows(got, output), _rows(want, output)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.max(1 - np.sum(a * b, axis=1) / np.maximum(lengths, 1e-12)))


def relative_rms(got: Tensors, want: Tensors, output: str) -> float:
    """The root mean square of the difference, as a share of the reference's."""
    a, b = _floats(got, output), _floats(want, output)
    return float(np.sqrt(np.mean((a - b) ** 2)) / max(float(np.sqrt(np.mean(b**2))), 1e-12))


def softmax_difference(got: Tensors, want: Tensors, output: str) -> float:
    """The largest difference of a class's probability, when the output is logits."""
    return float(np.max(np.abs(_softmax(_rows(got, output)) - _softmax(_rows(want, output)))))


def disagreement(got: Tensors, want: Tensors, output: str) -> float:
    """The share of vectors whose largest number stands elsewhere."""
    return float(np.mean(np.argmax(_rows(got, output), axis=1) != np.argmax(_rows(want, output), axis=1)))


def misread(got: Tensors, want: Tensors, output: str) -> float:
    """The share of lines that read differently, when the output is a token for each step and 0 is none."""
    pairs = zip(_rows(got, output), _rows(want, output), strict=True)
    return float(np.mean([not np.array_equal(_collapsed(a), _collapsed(b)) for a, b in pairs]))


def sure_score_difference(got: Tensors, want: Tensors, output: str) -> float:
    """The largest difference of a score, over the candidates that are shown; both fall in order."""
    a, b = _rows(got, output), _rows(want, output)
    shown = np.maximum(a, b) >= _SURE
    return float(np.max(np.abs(a - b)[shown], initial=0.0))


def box_loss(got: Tensors, want: Tensors, output: str) -> float:
    """1 less the smallest overlap (intersection over union) of a shown box with its counterpart; 1 for a lost one."""
    worst = 0.0
    for a, b, a_scores, b_scores in zip(
        _floats(got, output), _floats(want, output), _rows(got, "scores"), _rows(want, "scores"), strict=True
    ):
        for mine, theirs, scores, others in ((a, b, a_scores, b_scores), (b, a, b_scores, a_scores)):
            for box in mine[scores >= _SURE]:
                worst = max(worst, 1 - float(np.max(_overlap(box, theirs[others >= _UNSURE]), initial=0.0)))
    return worst


def sure_point_difference(got: Tensors, want: Tensors, output: str) -> float:
    """The largest distance in pixels of a shown face's point from its counterpart, faces paired by their boxes."""
    worst = 0.0
    for row in range(len(_rows(want, "scores"))):
        theirs = _floats(got, "boxes")[row]
        for index in np.flatnonzero(_rows(want, "scores")[row] >= _SURE):
            twin = int(np.argmax(_overlap(_floats(want, "boxes")[row][index], theirs)))
            apart = _floats(got, output)[row][twin] - _floats(want, output)[row][index]
            worst = max(worst, float(np.max(np.linalg.norm(apart, axis=-1))))
    return worst


METRICS: Final[Mapping[str, Metric]] = {
    metric.__name__: metric
    for metric in (
        largest_difference, mean_difference, flipped, euclidean, cosine, relative_rms, softmax_difference,
        disagreement, misread, sure_score_difference, box_loss, sure_point_difference,
    )
}  # fmt: skip


def all_finite(answer: Tensors) -> bool:
    """Says whether an answer holds neither NaN nor infinity."""
    return all(np.all(np.isfinite(array.astype(np.float64))) for array in answer.values())


def _floats(tensors: Tensors, output: str) -> Floats:
    return np.asarray(tensors[output], np.float64)


def _rows(tensors: Tensors, output: str) -> Floats:
    array = _floats(tensors, output)
    return array.reshape(len(array), -1)


def _collapsed(tokens: Floats) -> Floats:
    """Drops repeated tokens, then those that are no character."""
    kept = tokens[np.insert(tokens[1:] != tokens[:-1], 0, True)]
    return np.asarray(kept[kept != 0])


def _softmax(rows: Floats) -> Floats:
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _overlap(box: Floats, others: Floats) -> Floats:
    """Intersection over union of one box (left, top, right, bottom) with each of [n, 4]."""
    if not len(others):
        return np.zeros(0)
    corners = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    inside = np.prod(np.clip(corners[1] - corners[0], 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(inside / np.maximum(np.prod(box[2:] - box[:2]) + areas - inside, 1e-12))
