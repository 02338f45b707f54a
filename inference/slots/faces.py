"""Trials of face detectors and face embedders: what honest ones do."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from inference.slots.candidate import Candidate
from inference.slots.evidence import COLLINS, HOPPER, PLAIN, PORTRAITS, Portrait
from inference.slots.trial import Tensors
from inference.slots.violations import Violation

SHOWN: Final = 0.5
OVERLAP: Final = 0.5
SAME: Final = 0.50
NEVER: Final = 0.60
_SLACK_PIXELS: Final = 2.0
_RELATIVE: Final = 2.0  # boxes that are all smaller than this are no pixels


def finds_faces(candidate: Candidate) -> Iterator[Violation]:
    """Two portraits: one face each, where it is, with its points in order."""
    canvases = np.stack([portrait.canvas() for portrait in PORTRAITS])
    answers = candidate.only.together({"image": canvases}, view=_sure)
    for place, portrait in enumerate(PORTRAITS):
        one = {name: array[place].astype(np.float64) for name, array in answers.items()}
        yield from _scores(portrait.file, one["scores"])
        yield from _face(portrait, one["boxes"], one["scores"], one["landmarks"])


def finds_nobody(candidate: Candidate) -> Iterator[Violation]:
    """Check: a grey canvas: no face."""
    scores = candidate.only.run({"image": PLAIN[None]})["scores"][0].astype(np.float64)
    yield from _scores("a plain grey picture", scores)
    if scores.max() >= SHOWN:
        remedy = "scores have to be probabilities: apply the sigmoid, or scale them, inside the graph"
        yield Violation("output 'scores'", f"{scores.max():.2f} on a plain grey picture", f"less than {SHOWN}", remedy)


def tells_people_apart(candidate: Candidate) -> Iterator[Violation]:
    """Two chips of each of two persons: those of one lie close together, those of two do not."""
    chips = np.stack([chip for portrait in (COLLINS, HOPPER) for chip in portrait.chips()])
    descriptors = candidate.only.together({"chip": chips})["descriptor"].astype(np.float64)
    distances = np.linalg.norm(descriptors[:, None] - descriptors, axis=2)
    same, other = float(max(distances[0, 1], distances[2, 3])), float(distances[:2, 2:].min())
    if same <= SAME and other > NEVER:
        return
    found = f"{same:.3f} between two chips of one person, {other:.3f} between two persons"
    expected = f"at most {SAME:.2f} and above {NEVER:.2f}"
    yield Violation("output 'descriptor'", found, expected, _calibration(same, other))


def _sure(answer: Tensors) -> Tensors:
    """Keep the candidates that are shown: the order of the others means nothing."""
    sure = answer["scores"].astype(np.float64) >= SHOWN
    return {name: array[sure] for name, array in answer.items()}


def _scores(where: str, scores: NDArray[np.float64]) -> Iterator[Violation]:
    field = f"output 'scores' ({where})"
    if scores.min() < 0 or scores.max() > 1:
        found = f"{scores.min():.3g}..{scores.max():.3g}"
        yield Violation(field, found, "0..1", "apply the sigmoid, or the softmax, inside the graph")
    if np.any(np.diff(scores) > 0):
        yield Violation(field, "scores in another order", "falling scores", "end the graph with TopK, and gather by it")


def _face(
    portrait: Portrait, boxes: NDArray[np.float64], scores: NDArray[np.float64], landmarks: NDArray[np.float64]
) -> Iterator[Violation]:
    where = f"output 'boxes' ({portrait.file})"
    sure = scores >= SHOWN
    wanted = f"a face at {_written(portrait.box)}"
    if not sure.any():
        found = f"no score of {SHOWN} or more; the highest is {scores.max():.2f}"
        yield Violation(
            f"output 'scores' ({portrait.file})", found, wanted, "the input is RGB, 0..255: check channels and scale"
        )
        return
    shown = boxes[sure]
    if faults := tuple(_ranges(where, shown)):
        yield from faults
        return
    overlaps = [_overlap(np.asarray(portrait.box), box) for box in shown]
    best = int(np.argmax(overlaps))
    if overlaps[best] < OVERLAP:
        found = f"{_written(tuple(shown[best]))}, which overlaps by {overlaps[best]:.2f}"
        yield Violation(where, found, f"{wanted}, overlap {OVERLAP} or more", "give pixels of the 640 x 640 input")
        return
    yield from _points(portrait, landmarks[sure][best], shown[best])


def _ranges(where: str, boxes: NDArray[np.float64]) -> Iterator[Violation]:
    expected = "left, top, right, bottom in pixels, 0..640"
    largest = float(boxes.max())
    if largest <= _RELATIVE:
        yield Violation(where, f"numbers up to {largest:.2f}", expected, "multiply by 640 inside the graph")
    elif np.any(boxes[:, 2:] <= boxes[:, :2]):
        found = f"{_written(tuple(boxes[0]))}, of which the right lower corner is not right and below"
        yield Violation(where, found, expected, "turn centre or corner with width and height into two corners")
    elif boxes.min() < -_SLACK_PIXELS or largest > 640 + _SLACK_PIXELS:
        yield Violation(where, f"{boxes.min():.0f}..{largest:.0f}", expected, "clip the boxes to the input")


def _points(portrait: Portrait, points: NDArray[np.float64], box: NDArray[np.float64]) -> Iterator[Violation]:
    eyes, mouth = points[:2], points[3:]
    ordered = eyes[0, 0] < eyes[1, 0] and mouth[0, 0] < mouth[1, 0] and eyes[:, 1].max() < mouth[:, 1].min()
    far = np.abs(points - np.asarray(portrait.landmarks)).max() > 0.35 * float((box[2:] - box[:2]).max())
    if not ordered or far:
        found = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in points)
        expected = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in portrait.landmarks)
        remedy = "order them: left eye, right eye, nose, left and right corner of the mouth, as seen in the picture"
        yield Violation(f"output 'landmarks' ({portrait.file})", found, f"about {expected}", remedy)


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    shared = np.clip(np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2]), 0, None).prod()
    return float(shared / max(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared, 1e-9))


def _calibration(same: float, other: float) -> str:
    """Says by how much the descriptor has to be multiplied, if that is all."""
    if same < other * SAME / NEVER:
        least, most = NEVER / other, SAME / max(same, 1e-9)
        return f"multiply the descriptor by a number from {least:.3g} to {most:.3g} inside the graph"
    return "the chip is RGB, 0..255, aligned by eyes, nose and mouth: check channels, scale and the crop you learnt on"


def _written(box: tuple[float, ...]) -> str:
    return f"[{', '.join(f'{number:.0f}' for number in box)}]"
