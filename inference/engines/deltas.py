"""Deltas: how far outputs moved, against the limits of a profile.

A distance of 0 is equal, a larger one is worse. Every array has the batch first.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final, SupportsFloat

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from inference.engines.documents import Document

Tensors = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
Metric = Callable[[Tensors, Tensors, str], float]
"""(answer, reference, output) -> distance."""

_SURE: Final = 0.5  # candidates above it are shown; the order of weaker ones means nothing
_TEXT: Final = 0.3 * 255  # from here on a pixel of a text map is text
_UNSURE: Final = 0.45  # a face that comes or goes between the two is no loss, its score says how close it was
_TINY: Final = 1e-12


def _misread(got: Floats, want: Floats) -> float:
    return float(np.mean([not np.array_equal(_collapsed(a), _collapsed(b)) for a, b in zip(got, want, strict=True)]))


def _cosine(got: Floats, want: Floats) -> float:
    lengths = np.linalg.norm(got, axis=1) * np.linalg.norm(want, axis=1)
    return float(np.max(1 - np.sum(got * want, axis=1) / np.maximum(lengths, _TINY)))


def _box_loss(got: Tensors, want: Tensors, output: str) -> float:
    worst = 0.0
    for a, b, a_scores, b_scores in zip(
        _floats(got, output), _floats(want, output), _rows(got, "scores"), _rows(want, "scores"), strict=True
    ):
        for mine, theirs, scores, others in ((a, b, a_scores, b_scores), (b, a, b_scores, a_scores)):
            for box in mine[scores >= _SURE]:
                worst = max(worst, 1 - float(np.max(_overlap(box, theirs[others >= _UNSURE]), initial=0.0)))
    return worst


def _sure_point_difference(got: Tensors, want: Tensors, output: str) -> float:
    worst = 0.0
    for row, index in np.argwhere(_rows(want, "scores") >= _SURE):
        twin = int(np.argmax(_overlap(_floats(want, "boxes")[row][index], _floats(got, "boxes")[row])))
        apart = _floats(got, output)[row][twin] - _floats(want, output)[row][index]
        worst = max(worst, float(np.max(np.linalg.norm(apart, axis=-1))))
    return worst


def _metric(distance: Callable[[Floats, Floats], SupportsFloat]) -> Metric:
    return lambda got, want, output: float(distance(_rows(got, output), _rows(want, output)))


# Distances of one output, as rows of numbers.
_OF_ROWS: Final[Mapping[str, Callable[[Floats, Floats], SupportsFloat]]] = {
    "largest_difference": lambda got, want: np.max(np.abs(got - want), initial=0.0),
    "mean_difference": lambda got, want: np.mean(np.abs(got - want)),
    # The share of a byte map's pixels that are text in one answer alone.
    "flipped": lambda got, want: np.mean((got >= _TEXT) != (want >= _TEXT)),
    # Of vectors, as descriptors are compared.
    "euclidean": lambda got, want: np.max(np.linalg.norm(got - want, axis=1)),
    # Of vectors, as embeddings are compared.
    "cosine": _cosine,
    # The root mean square of the difference, as a share of the reference's.
    "relative_rms": lambda got, want: np.linalg.norm(got - want) / max(float(np.linalg.norm(want)), _TINY),
    # Of a class's probability, when the output is logits.
    "softmax_difference": lambda got, want: np.max(np.abs(_softmax(got) - _softmax(want))),
    # The share of vectors whose largest number stands elsewhere.
    "disagreement": lambda got, want: np.mean(np.argmax(got, axis=1) != np.argmax(want, axis=1)),
    # The share of lines that read differently, when the output is a token for each step and 0 is none.
    "misread": _misread,
    # Of a score, over the candidates that are shown; both fall in order.
    "sure_score_difference": lambda got, want: np.max(np.abs(got - want)[np.maximum(got, want) >= _SURE], initial=0.0),
}
METRICS: Final[Mapping[str, Metric]] = {
    # 1 less the smallest overlap (intersection over union) of a shown box with its counterpart; 1 for a lost one.
    "box_loss": _box_loss,
    # The largest distance in pixels of a shown face's point from its counterpart, faces paired by their boxes.
    "sure_point_difference": _sure_point_difference,
    **{name: _metric(distance) for name, distance in _OF_ROWS.items()},
}


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise ValueError(f"there is no metric {metric!r}; there are {', '.join(sorted(METRICS))}")
    return metric


class Limit(Document):
    """How far an output may lie from ONNX Runtime's."""

    output: str
    metric: Annotated[str, AfterValidator(_known)]
    most: Annotated[float, Field(ge=0)]


class Delta(Limit):
    """How far an output came from single precision, at worst.

    Attributes:
        value: the largest over all probes; infinite when an answer held NaN or infinity.
        probe: the probe at which it was largest.
    """

    value: float
    probe: str

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        return self.value <= self.most


def deltas(
    limits: Sequence[Limit], probes: Sequence[str], got: Sequence[Tensors], want: Sequence[Tensors]
) -> tuple[Delta, ...]:
    """Measure every limit over all probes, which are named, and keep the worst of each."""
    return tuple(_worst(limit, probes, got, want) for limit in limits)


def _worst(limit: Limit, probes: Sequence[str], got: Sequence[Tensors], want: Sequence[Tensors]) -> Delta:
    values = [_value(limit, answer, right) for answer, right in zip(got, want, strict=True)]
    worst = int(np.argmax(values))
    return Delta(**limit.model_dump(), value=values[worst], probe=probes[worst])


def _value(limit: Limit, got: Tensors, want: Tensors) -> float:
    if not all(np.all(np.isfinite(array.astype(np.float64))) for array in got.values()):
        return float("inf")
    return METRICS[limit.metric](got, want, limit.output)


def _floats(tensors: Tensors, output: str) -> Floats:
    return np.asarray(tensors[output], np.float64)


def _rows(tensors: Tensors, output: str) -> Floats:
    array = _floats(tensors, output)
    return array.reshape(len(array), -1)


def _collapsed(tokens: Floats) -> Floats:
    """Drop repeated tokens, then those that are no character."""
    kept = tokens[np.insert(tokens[1:] != tokens[:-1], 0, True)]
    return np.asarray(kept[kept != 0])


def _softmax(rows: Floats) -> Floats:
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _overlap(box: Floats, others: Floats) -> Floats:
    """Return intersection over union of one box (left, top, right, bottom) with each of [n, 4]."""
    corners = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    inside = np.prod(np.clip(corners[1] - corners[0], 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(inside / np.maximum(np.prod(box[2:] - box[:2]) + areas - inside, _TINY))
