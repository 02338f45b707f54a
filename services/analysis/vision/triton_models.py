"""Models on an inference server that speaks the KServe protocol over gRPC, such as Triton."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from inference.client.client import InferenceClient
from inference.client.errors import ModelAnswerBroken
from inference.client.tensors import OutputSpec
from inference.vision.pictures import DETECTOR_SIDE, Picture
from inference.vision.words import word_pieces
from services.analysis.ports import Detections, Floats, Scene, Sentences, Spelling, TextMap

DETECTOR: Final = "face_detector"
EMBEDDER: Final = "face_embedder"
SCENES: Final = "scene_classifier"
SENSITIVE: Final = "sensitive_content"
TEXT_DETECTOR: Final = "text_detector"
TEXT_READER: Final = "text_reader"
TEXT_ENCODER: Final = "text_encoder"
SERVED: Final = (DETECTOR, EMBEDDER, SCENES, SENSITIVE, TEXT_DETECTOR, TEXT_READER, TEXT_ENCODER)
_FOR_PICTURES: Final = tuple(name for name in SERVED if name != TEXT_ENCODER)
"""The text encoder serves those who search; no photo has to wait for it."""

_CANDIDATES: Final = (
    OutputSpec("boxes", (None, 4)),
    OutputSpec("scores", (None,)),
    OutputSpec("landmarks", (None, 5, 2)),
)
_SCENE: Final = (OutputSpec("logits", (1000,)), OutputSpec("embedding", (None,)), OutputSpec("kinds", (4,)))
_DESCRIPTOR: Final = (OutputSpec("descriptor", (None,)),)
_PROBABILITY: Final = (OutputSpec("probability", (1,)),)
_TEXT_MAP: Final = (OutputSpec("text_map", (DETECTOR_SIDE, DETECTOR_SIDE), "UINT8"),)
_SPELLING: Final = (OutputSpec("tokens", (None,), "INT32"), OutputSpec("scores", (None,)))
_SENTENCE: Final = (OutputSpec("embedding", (None,)),)

_LINES: Final = 8
"""Lines in a request: few enough for the reader's instances to share a document, many enough to save requests."""


class TritonModels:
    """Implements `Models`. One for each event loop."""

    def __init__(self, client: InferenceClient) -> None:
        """Prepare; nothing is sent before the first question.

        Args:
            client: The way to the server.
        """
        self._client = client

    async def detect(self, canvas: Picture) -> Detections:
        """Find face candidates (`Models.detect`)."""
        answer = await self._client.infer(DETECTOR, {"image": canvas[None]}, _CANDIDATES)
        boxes, scores, landmarks = (answer.floats(each.name)[0] for each in _CANDIDATES)
        if not len(boxes) == len(scores) == len(landmarks):
            raise ModelAnswerBroken(DETECTOR, "its outputs tell of different numbers of candidates")
        return Detections(boxes, scores, landmarks)

    async def classify(self, square: Picture) -> Scene:
        """Describe a picture (`Models.classify`)."""
        answer = await self._client.infer(SCENES, {"image": square[None]}, _SCENE)
        logits, embedding, kinds = (answer.floats(each.name)[0] for each in _SCENE)
        return Scene(logits, embedding, kinds)

    async def rate(self, square: Picture) -> float:
        """Says how likely a picture is intimate (`Models.rate`)."""
        answer = await self._client.infer(SENSITIVE, {"image": square[None]}, _PROBABILITY)
        probability = float(answer.floats("probability")[0, 0])
        if not 0 <= probability <= 1:
            raise ModelAnswerBroken(SENSITIVE, "is no probability", "probability")
        return probability

    async def find_text(self, canvas: Picture) -> TextMap:
        """Says where text is (`Models.find_text`)."""
        answer = await self._client.infer(TEXT_DETECTOR, {"image": canvas[None]}, _TEXT_MAP)
        return np.asarray(answer.pixels("text_map")[0], np.uint8)

    async def read(self, lines: Sequence[Picture]) -> list[Spelling]:
        """Read lines of text (`Models.read`)."""
        starts = range(0, len(lines), _LINES)
        parts = await asyncio.gather(*(self._read_some(lines[start : start + _LINES]) for start in starts))
        return [spelling for part in parts for spelling in part]

    async def _read_some(self, lines: Sequence[Picture]) -> list[Spelling]:
        answer = await self._client.infer(TEXT_READER, {"line": np.stack(lines)}, _SPELLING)
        return [Spelling(*row) for row in zip(answer.integers("tokens"), answer.floats("scores"), strict=True)]

    async def describe(self, texts: Sequence[str]) -> Sentences:
        """Says what texts mean (`Models.describe`)."""
        pieces = word_pieces(texts)
        answer = await self._client.infer(TEXT_ENCODER, {"ids": pieces.ids, "mask": pieces.mask}, _SENTENCE)
        return Sentences(answer.floats("embedding"), await self._client.identity(TEXT_ENCODER))

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        """Describe faces (`Models.embed`)."""
        answer = await self._client.infer(EMBEDDER, {"chip": np.stack(chips)}, _DESCRIPTOR)
        return answer.floats("descriptor")

    async def identities(self) -> Mapping[str, str]:
        """Asks what is served now (`Models.identities`)."""
        return {name: await self._client.identity(name) for name in SERVED}

    def paused(self) -> timedelta:
        """Return how long it makes no sense to ask (`Models.paused`)."""
        return self._client.paused(_FOR_PICTURES)
