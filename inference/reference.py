"""Whole understanding of a picture in one process, with ONNX Runtime alone: no server, no service.

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

from inference.model_build.build import built_model
from inference.model_build.sessions import ModelSession
from inference.vision.alignment import face_chip
from inference.vision.faces import EMBED_SCORE, EMBED_SIDE_PIXELS, Face, decode_faces
from inference.vision.kinds import Kind, KindFinding, confirmed_kind, kind_of, wants_text
from inference.vision.pictures import Letterbox, Picture, letterbox, scene_input
from inference.vision.reading import KEEP_SCORE, Words, joined, words_of
from inference.vision.search import picture_vector, shipped_label_vectors
from inference.vision.sensitive import Rating, rating_of
from inference.vision.tags import Tag, album_tags
from inference.vision.text import TextBox, line_pictures, text_area, text_boxes, worth_reading


@dataclass(frozen=True)
class PictureFindings:
    """What the models say about one picture.

    Attributes:
        faces: the surest first.
        descriptors: one [128] for each face that is good enough to be compared, by its index in `faces`.
        tags: the surest first.
        kind: photo, document, receipt or screenshot.
        embedding: [1280], of the whole picture.
        rating: what may be done with it; of what is excluded nothing else is found out but its kind.
        meaning: [384], where it points among words; None when it is excluded.
        text: what is written in it.
    """

    faces: tuple[Face, ...]
    descriptors: dict[int, NDArray[np.float32]]
    tags: tuple[Tag, ...]
    kind: KindFinding
    embedding: NDArray[np.float32]
    rating: Rating
    meaning: NDArray[np.float32] | None
    text: "WrittenText"


@dataclass(frozen=True)
class WrittenText:
    """What is written in a picture: where lines are, the share of it that they cover, and what they say."""

    boxes: tuple[TextBox, ...] = ()
    area: float = 0.0
    lines: tuple[Words, ...] = ()


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
        def session(name: str) -> ModelSession:
            return ModelSession(built_model(home, name).path)

        self._detector = session("face_detector")
        self._embedder = session("face_embedder")
        self._classifier = session("scene_classifier")
        self._rater = session("sensitive_content")
        self._text_detector = session("text_detector")
        self._reader = session("text_reader")
        self._embeds_faces = embeds_faces

    def understand(self, picture: Picture) -> PictureFindings:
        """Find faces, tags, the kind and the words of one picture.

        Args:
            picture: UINT8 RGB [height, width, 3], upright.
        """
        square = scene_input(picture)[None]
        scene = self._classifier.run({"image": square})
        rating = rating_of(float(self._rater.run({"image": square})["probability"][0, 0]))
        if rating is Rating.EXCLUDE:
            return _withheld(scene["kinds"][0], scene["embedding"][0])
        canvas = letterbox(picture)
        faces = self._faces(canvas)
        kind, text = self._read(picture, canvas, scene["kinds"][0])
        return PictureFindings(
            faces=faces,
            descriptors=self._descriptors(picture, faces) if self._embeds_faces else {},
            tags=album_tags(scene["logits"][0]),
            kind=kind,
            embedding=scene["embedding"][0],
            rating=rating,
            meaning=picture_vector(scene["logits"][0], shipped_label_vectors(), faces=len(faces)),
            text=text,
        )

    def faces(self, picture: Picture) -> tuple[Face, ...]:
        """Find the faces of one picture, the surest first."""
        return self._faces(letterbox(picture))

    def _faces(self, canvas: Letterbox) -> tuple[Face, ...]:
        found = self._detector.run({"image": canvas.canvas[None]})
        return decode_faces(found["boxes"][0], found["scores"][0], found["landmarks"][0], canvas)

    def kind(self, picture: Picture) -> KindFinding:
        """Tells the kind of one picture alone, without reading it."""
        scene = self._classifier.run({"image": scene_input(picture)[None]})
        return self._look_for_text(letterbox(picture), scene["kinds"][0])[0]

    def _read(self, picture: Picture, canvas: Letterbox, kinds: NDArray[np.float32]) -> tuple[KindFinding, WrittenText]:
        """Read what is no photo."""
        kind, found = self._look_for_text(canvas, kinds)
        if kind.kind is Kind.PHOTO:
            return kind, WrittenText((), found.area)
        read = ((box, self._line(picture, box)) for box in worth_reading(found.boxes))
        kept = [(box, words) for box, words in read if words.text and words.score >= KEEP_SCORE]
        return kind, WrittenText(tuple(box for box, _ in kept), found.area, tuple(words for _, words in kept))

    def _look_for_text(self, canvas: Letterbox, kinds: NDArray[np.float32]) -> tuple[KindFinding, WrittenText]:
        """Tells the kind, by the text where it is in doubt, and where lines are."""
        if not wants_text(kinds):
            return kind_of(kinds), WrittenText()
        boxes = text_boxes(self._text_detector.run({"image": canvas.canvas[None]})["text_map"][0], canvas)
        area = text_area(boxes)
        return confirmed_kind(kinds, lines=len(boxes), area=area), WrittenText(boxes, area)

    def _line(self, picture: Picture, box: TextBox) -> Words:
        answers = (self._reader.run({"line": piece[None]}) for piece in line_pictures(picture, box))
        return joined([words_of(answer["tokens"][0], answer["scores"][0]) for answer in answers])

    def _descriptors(self, picture: Picture, faces: Sequence[Face]) -> dict[int, NDArray[np.float32]]:
        clear = [index for index, face in enumerate(faces) if is_clear(face, picture)]
        if not clear:
            return {}
        chips = np.stack([face_chip(picture, faces[index].landmarks) for index in clear])
        return dict(zip(clear, self._embedder.run({"chip": chips})["descriptor"], strict=True))


def _withheld(kinds: NDArray[np.float32], embedding: NDArray[np.float32]) -> PictureFindings:
    return PictureFindings(
        faces=(),
        descriptors={},
        tags=(),
        kind=kind_of(kinds),
        embedding=np.zeros_like(embedding),
        rating=Rating.EXCLUDE,
        meaning=None,
        text=WrittenText(),
    )


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
