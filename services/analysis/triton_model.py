"""The models on an inference server that speaks the KServe protocol over gRPC, such as Triton."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from inference.client.client import InferenceClient
from inference.client.errors import ModelAnswerBroken
from inference.client.tensors import Wanted
from inference.vision.pictures import Picture
from services.analysis.ports import Detections, Floats, Scene

DETECTOR: Final = "face_detector"
EMBEDDER: Final = "face_embedder"
SCENES: Final = "scene_classifier"
SERVED: Final = (DETECTOR, EMBEDDER, SCENES)

_CANDIDATES: Final = (Wanted("boxes", (None, 4)), Wanted("scores", (None,)), Wanted("landmarks", (None, 5, 2)))
_SCENE: Final = (Wanted("logits", (1000,)), Wanted("embedding", (1280,)), Wanted("kinds", (4,)))
_DESCRIPTOR: Final = (Wanted("descriptor", (None,)),)


class TritonModels:
    """Implements `Models`. One for each event loop."""

    def __init__(self, client: InferenceClient) -> None:
        """Prepares; nothing is sent before the first question.

        Args:
            client: The way to the server.
        """
        self._client = client

    async def detect(self, canvas: Picture) -> Detections:
        """Finds face candidates (`Models.detect`)."""
        answer = await self._client.ask(DETECTOR, {"image": canvas[None]}, _CANDIDATES)
        boxes, scores, landmarks = (answer.floats(each.name)[0] for each in _CANDIDATES)
        if not len(boxes) == len(scores) == len(landmarks):
            raise ModelAnswerBroken(DETECTOR, "its outputs tell of different numbers of candidates")
        return Detections(boxes, scores, landmarks)

    async def classify(self, square: Picture) -> Scene:
        """Describes a picture (`Models.classify`)."""
        answer = await self._client.ask(SCENES, {"image": square[None]}, _SCENE)
        logits, embedding, kinds = (answer.floats(each.name)[0] for each in _SCENE)
        return Scene(logits, embedding, kinds)

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        """Describes faces (`Models.embed`)."""
        answer = await self._client.ask(EMBEDDER, {"chip": np.stack(chips)}, _DESCRIPTOR)
        return answer.floats("descriptor")

    async def identities(self) -> Mapping[str, str]:
        """Asks what is served now (`Models.identities`)."""
        return {name: await self._client.identity(name) for name in SERVED}

    def paused(self) -> timedelta:
        """Returns how long it makes no sense to ask (`Models.paused`)."""
        return self._client.paused(SERVED)
