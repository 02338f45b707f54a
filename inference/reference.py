"""The whole understanding of a picture in one process, with ONNX Runtime alone: no server, no service.

It is the limit that serving is measured against, and the second opinion that its answers are checked with.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.models.build import built_model
from inference.models.sessions import ModelSession
from inference.vision.alignment import face_chip
from inference.vision.faces import EMBED_SCORE, EMBED_SIDE_PIXELS, Face, decode_faces
from inference.vision.kinds import KindFinding, kind_of
from inference.vision.pictures import Picture, letterbox, scene_input
from inference.vision.tags import Tag, album_tags


@dataclass(frozen=True)
class PictureFindings:
    """What the models say about one picture.

    Attributes:
        faces: the surest first.
        descriptors: one [128] for each face that is good enough to be compared, by its index in `faces`.
        tags: the surest first.
        kind: photo, document, receipt or screenshot.
        embedding: [1280], of the whole picture.
    """

    faces: tuple[Face, ...]
    descriptors: dict[int, NDArray[np.float32]]
    tags: tuple[Tag, ...]
    kind: KindFinding
    embedding: NDArray[np.float32]


@dataclass(frozen=True)
class Throughput:
    """How many pictures were understood in which time."""

    pictures: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Pictures each second."""
        return self.pictures / self.seconds


class Reference:
    """The models in this process, one thread each; safe to be used by one thread at a time.

    Args:
        home: the folder of built models.
        embeds_faces: whether faces are described as well, as under FACE_GROUPING.
    """

    def __init__(self, home: Path, *, embeds_faces: bool) -> None:
        self._detector = ModelSession(built_model(home, "face_detector").path)
        self._embedder = ModelSession(built_model(home, "face_embedder").path)
        self._classifier = ModelSession(built_model(home, "scene_classifier").path)
        self._embeds_faces = embeds_faces

    def understand(self, picture: Picture) -> PictureFindings:
        """Finds faces, tags and the kind of one picture.

        Args:
            picture: UINT8 RGB [height, width, 3], upright.
        """
        faces = self.faces(picture)
        scene = self._classifier.run({"image": scene_input(picture)[None]})
        return PictureFindings(
            faces=faces,
            descriptors=self._descriptors(picture, faces) if self._embeds_faces else {},
            tags=album_tags(scene["logits"][0]),
            kind=kind_of(scene["kinds"][0]),
            embedding=scene["embedding"][0],
        )

    def faces(self, picture: Picture) -> tuple[Face, ...]:
        """Finds the faces of one picture, the surest first."""
        boxed = letterbox(picture)
        found = self._detector.run({"image": boxed.canvas[None]})
        return decode_faces(found["boxes"][0], found["scores"][0], found["landmarks"][0], boxed)

    def _descriptors(self, picture: Picture, faces: Sequence[Face]) -> dict[int, NDArray[np.float32]]:
        clear = [index for index, face in enumerate(faces) if is_clear(face, picture)]
        if not clear:
            return {}
        chips = np.stack([face_chip(picture, faces[index].landmarks) for index in clear])
        return dict(zip(clear, self._embedder.run({"chip": chips})["descriptor"], strict=True))


def is_clear(face: Face, picture: Picture) -> bool:
    """Whether a face is sure and large enough to be compared with others."""
    height, width = picture.shape[:2]
    side = min(face.box[2] * width, face.box[3] * height)
    return face.score >= EMBED_SCORE and side >= EMBED_SIDE_PIXELS


def measure(
    home: Path, pictures: Sequence[Picture], *, workers: int, embeds_faces: bool, rounds: int = 1
) -> Throughput:
    """Measures what this machine can do at best: each worker has its own models and its own share of the pictures.

    Args:
        home: the folder of built models.
        pictures: decoded and upright.
        workers: threads; as many as there are cores.
        embeds_faces: whether faces are described as well.
        rounds: how often every picture is understood.
    """
    references = [Reference(home, embeds_faces=embeds_faces) for _ in range(workers)]

    def work(number: int) -> int:
        mine = list(islice(pictures, number, None, workers)) * rounds
        for picture in mine:
            references[number].understand(picture)
        return len(mine)

    for reference in references:
        reference.understand(pictures[0])
    started = time.perf_counter()
    with ThreadPoolExecutor(workers) as pool:
        done = sum(pool.map(work, range(workers)))
    return Throughput(done, time.perf_counter() - started)
