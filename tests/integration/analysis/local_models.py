"""The models in this process, by ONNX Runtime: what pictures come to without a server in between."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from inference.model_build.build import built_model
from inference.model_build.manifest import identities
from inference.model_build.sessions import ModelSession
from inference.vision.pictures import Picture
from inference.vision.words import word_pieces
from services.analysis.ports import Detections, Floats, Scene, Sentences, Spelling, TextMap
from services.analysis.vision.triton_models import (
    DETECTOR,
    EMBEDDER,
    SCENES,
    SENSITIVE,
    SERVED,
    TEXT_DETECTOR,
    TEXT_ENCODER,
    TEXT_READER,
)


class LocalModels:
    """Implements `Models`."""

    def __init__(self, home: Path) -> None:
        self._sessions = {name: ModelSession(built_model(home, name).path) for name in SERVED}

    async def detect(self, canvas: Picture) -> Detections:
        found = self._sessions[DETECTOR].run({"image": canvas[None]})
        return Detections(found["boxes"][0], found["scores"][0], found["landmarks"][0])

    async def classify(self, square: Picture) -> Scene:
        found = self._sessions[SCENES].run({"image": square[None]})
        return Scene(found["logits"][0], found["embedding"][0], found["kinds"][0])

    async def rate(self, square: Picture) -> float:
        return float(self._sessions[SENSITIVE].run({"image": square[None]})["probability"][0, 0])

    async def find_text(self, canvas: Picture) -> TextMap:
        return np.asarray(self._sessions[TEXT_DETECTOR].run({"image": canvas[None]})["text_map"][0], np.uint8)

    async def read(self, lines: Sequence[Picture]) -> list[Spelling]:
        answers = [self._sessions[TEXT_READER].run({"line": line[None]}) for line in lines]
        return [Spelling(np.asarray(each["tokens"][0], np.int64), each["scores"][0]) for each in answers]

    async def describe(self, texts: Sequence[str]) -> Sentences:
        pieces = word_pieces(texts)
        answers = [
            self._sessions[TEXT_ENCODER].run({"ids": ids[None], "mask": mask[None]})["embedding"]
            for ids, mask in zip(pieces.ids, pieces.mask, strict=True)
        ]
        return Sentences(np.concatenate(answers), identities()[TEXT_ENCODER])

    async def embed(self, chips: Sequence[Picture]) -> Floats:
        return np.concatenate([self._sessions[EMBEDDER].run({"chip": chip[None]})["descriptor"] for chip in chips])

    async def identities(self) -> Mapping[str, str]:
        return identities()

    def paused(self) -> timedelta:
        return timedelta()
