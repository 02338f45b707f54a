"""Nets that know one face: a magenta rectangle; proven by the same suite as the real ones."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import cv2
import numpy as np

from inference.vision.pictures import Picture
from services.analysis.errors import ModelFault
from services.analysis.ports import Detections, Floats, Scene

FACE_COLOUR = (255, 0, 255)
SERVED = {
    name: f"{name}-1"
    for name in (
        "face_detector", "face_embedder", "scene_classifier",
        "sensitive_content", "text_detector", "text_encoder", "text_reader",
    )
}  # fmt: skip
_CANDIDATES = 4


class FakeModels:
    """Answers at once, unless it is told to fail.

    Attributes:
        failure: Raised instead of an answer.
        chips: Every face that was described.
        pictures: How many pictures were looked at.
        pause: What `paused` says.
        served: Identities of the models, by their names.
    """

    def __init__(self) -> None:
        self.failure: ModelFault | None = None
        self.chips: list[Picture] = []
        self.pictures = 0
        self.pause = timedelta()
        self.served: Mapping[str, str] = SERVED

    async def detect(self, canvas: Picture) -> Detections:
        self._look()
        boxes, scores, landmarks = _nothing()
        marked = np.argwhere(np.abs(canvas.astype(int) - FACE_COLOUR).max(axis=2) < 60)
        if len(marked):
            (top, left), (bottom, right) = marked.min(0), marked.max(0)
            boxes[0], scores[0] = (left, top, right + 1, bottom + 1), 0.9
            landmarks[0] = [
                (left + x * (right - left), top + y * (bottom - top))
                for x, y in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
            ]
        return Detections(boxes, scores, landmarks)

    async def classify(self, square: Picture) -> Scene:
        self._look()
        gray = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)
        embedding = cv2.resize(gray, (40, 32), interpolation=cv2.INTER_AREA).astype(np.float32).ravel() / 64
        logits = np.zeros(1000, np.float32)
        logits[281 if gray.mean() > 64 else 970] = 20
        paper = float(embedding.mean() > 3.8)
        return Scene(logits, embedding, np.asarray([1 - paper, paper, 0, 0], np.float32))

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        self._look()
        self.chips += chips
        small = [cv2.resize(chip, (16, 8), interpolation=cv2.INTER_AREA) for chip in chips]
        return np.stack([cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32).ravel() / 255 for chip in small])

    async def identities(self) -> Mapping[str, str]:
        if self.failure is not None:
            raise self.failure
        return self.served

    def paused(self) -> timedelta:
        return self.pause

    def _look(self) -> None:
        self.pictures += 1
        if self.failure is not None:
            raise self.failure


def _nothing() -> tuple[Floats, Floats, Floats]:
    return (
        np.zeros((_CANDIDATES, 4), np.float32),
        np.zeros(_CANDIDATES, np.float32),
        np.zeros((_CANDIDATES, 5, 2), np.float32),
    )
