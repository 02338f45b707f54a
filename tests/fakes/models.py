"""Nets that know one face, a magenta rectangle, and one line of text, a cyan one; orange is intimate to them.

They are proven by the same suite as the real ones.
"""

import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from inference.vision.pictures import Picture
from inference.vision.reading import characters
from services.analysis.errors import ModelFault
from services.analysis.ports import Detections, Floats, Scene, Sentences, Spelling, TextMap

FACE_COLOUR = (255, 0, 255)
TEXT_COLOUR = (0, 255, 255)
INTIMATE_COLOUR = (255, 128, 0)
WRITTEN = "TOTAL 12,30"
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
        asked: Which models were asked, in their order.
        lines: How many lines were read.
        chips: Every face that was described.
        pictures: How many questions were asked.
        pause: What `paused` says.
        served: Identities of the models, by their names.
    """

    def __init__(self) -> None:
        self.failure: ModelFault | None = None
        self.asked: list[str] = []
        self.lines = 0
        self.chips: list[Picture] = []
        self.pictures = 0
        self.pause = timedelta()
        self.served: Mapping[str, str] = SERVED

    async def detect(self, canvas: Picture) -> Detections:
        self._note("face_detector")
        boxes, scores, landmarks = _nothing()
        marked = np.argwhere(_is_near(canvas, FACE_COLOUR))
        if len(marked):
            (top, left), (bottom, right) = marked.min(0), marked.max(0)
            boxes[0], scores[0] = (left, top, right + 1, bottom + 1), 0.9
            landmarks[0] = [
                (left + x * (right - left), top + y * (bottom - top))
                for x, y in ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
            ]
        return Detections(boxes, scores, landmarks)

    async def classify(self, square: Picture) -> Scene:
        self._note("scene_classifier")
        gray = cv2.cvtColor(square, cv2.COLOR_RGB2GRAY)
        embedding = cv2.resize(gray, (40, 32), interpolation=cv2.INTER_AREA).astype(np.float32).ravel() / 64
        logits = np.zeros(1000, np.float32)
        logits[281 if gray.mean() > 64 else 970] = 20
        paper = float(embedding.mean() > 3.8)
        return Scene(logits, embedding, np.asarray([1 - paper, paper, 0, 0], np.float32))

    async def rate(self, square: Picture) -> float:
        self._note("sensitive_content")
        return 0.95 * float(_is_near(square, INTIMATE_COLOUR).mean())

    async def find_text(self, canvas: Picture) -> TextMap:
        self._note("text_detector")
        return (255 * _is_near(canvas, TEXT_COLOUR)).astype(np.uint8)

    async def read(self, lines: Sequence[Picture]) -> list[Spelling]:
        self._note("text_reader")
        self.lines += len(lines)
        return [_spelling(WRITTEN if _is_near(line, TEXT_COLOUR).mean() > 0.1 else "") for line in lines]

    async def describe(self, texts: Sequence[str]) -> Sentences:
        self._note("text_encoder")
        return Sentences(np.stack([_direction(text) for text in texts]), self.served["text_encoder"])

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        self._note("face_embedder")
        self.chips += chips
        small = [cv2.resize(chip, (16, 8), interpolation=cv2.INTER_AREA) for chip in chips]
        return np.stack([cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY).astype(np.float32).ravel() / 255 for chip in small])

    async def identities(self) -> Mapping[str, str]:
        if self.failure is not None:
            raise self.failure
        return self.served

    def paused(self) -> timedelta:
        return self.pause

    def _note(self, model: str) -> None:
        self.pictures += 1
        self.asked.append(model)
        if self.failure is not None:
            raise self.failure


def _is_near(picture: Picture, colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    lowest, highest = (np.clip(np.array(colour) + by, 0, 255) for by in (-59, 59))
    near: NDArray[np.bool_] = cv2.inRange(picture, lowest, highest) > 0
    return near


def _spelling(text: str) -> Spelling:
    """Spells a text as the reader would: a gap behind each character, so that repeats are two."""
    table = {character: token for token, character in enumerate(characters())}
    tokens = np.zeros(80, np.int64)
    tokens[: 2 * len(text) : 2] = [table[character] for character in text]
    return Spelling(tokens, np.where(tokens > 0, 0.9, 1.0).astype(np.float32))


def _direction(text: str) -> Floats:
    """Sum a direction of its own for each word."""
    total = np.sum([np.full(384, 0.1), *map(_direction_of_word, text.lower().split())], axis=0)
    return np.asarray(total / np.linalg.norm(total), np.float32)


@cache
def _direction_of_word(word: str) -> NDArray[np.float64]:
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(384)


def _nothing() -> tuple[Floats, Floats, Floats]:
    return (
        np.zeros((_CANDIDATES, 4), np.float32),
        np.zeros(_CANDIDATES, np.float32),
        np.zeros((_CANDIDATES, 5, 2), np.float32),
    )
