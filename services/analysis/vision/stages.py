"""Stages of the pipeline that are arithmetic: from a file to the models' inputs, and from their outputs to findings.

Everything here is work for a thread: the decoders and OpenCV let the interpreter go on meanwhile.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from inference.vision.alignment import face_chip
from inference.vision.faces import EMBED_SCORE, EMBED_SIDE_PIXELS, decode_faces
from inference.vision.kinds import confirmed_kind, kind_of
from inference.vision.pictures import DETECTOR_SIDE, Letterbox, Picture, letterbox, scene_input
from inference.vision.sensitive import Rating as Level
from inference.vision.sensitive import rating_of
from inference.vision.tags import album_tags
from services.analysis.domain.findings import (
    FoundFace,
    Kind,
    Meaning,
    Metadata,
    Rating,
    SceneFindings,
    Sensitivity,
    Tag,
    Writing,
)
from services.analysis.ports import Detections, Floats, Scene
from services.analysis.vision import quality
from services.analysis.vision.decoding import (
    SCREEN_QUALITY,
    THUMBNAIL_QUALITY,
    THUMBNAIL_SIDE,
    Limits,
    PictureFile,
    encode_jpeg,
    shrink,
)
from services.analysis.vision.text_lines import Lines

MAX_FACES: Final = 64
_LEVELS: Final = {
    Level.CLEAR: Sensitivity.SAFE,
    Level.REVIEW: Sensitivity.REVIEW,
    Level.EXCLUDE: Sensitivity.EXCLUDED,
}
_SCENE_SIDE: Final = 320
"""Reduced to this first, the rest of the way to the classifier's square is short."""


@dataclass(frozen=True)
class DecodedPicture:
    """A decoded picture, and what the models want of it.

    Attributes:
        picture: UINT8 RGB, upright, long side at most `WORK_SIDE`.
        reduced: The same, long side at most that of the face detector.
        canvas: For the face detector.
        square: For the scene classifier.
        screen: The larger preview, if the file itself can serve as one.
    """

    picture: Picture = field(repr=False)
    reduced: Picture = field(repr=False)
    canvas: Letterbox = field(repr=False)
    square: Picture = field(repr=False)
    screen: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Measures:
    """What needs no model, and the previews as JPEG."""

    sharpness: float
    exposure: float
    perceptual_hash: int
    screen: bytes = field(repr=False)
    thumbnail: bytes = field(repr=False)


@dataclass(frozen=True)
class ModelOutputs:
    """What the models say of a picture that is not excluded.

    Attributes:
        scene: The scene classifier's answer.
        rating: How intimate it is.
        kind: Its kind, and the probability of that.
        faces: Faces in it.
        writing: What is written in it.
        meaning: What it is found by in words.
    """

    scene: Scene
    rating: Rating
    kind: tuple[Kind, float]
    faces: tuple[FoundFace, ...]
    writing: Writing
    meaning: Meaning | None


def decode_picture(data: bytes, limits: Limits) -> DecodedPicture:
    """Decode a file, once.

    Raises:
        PictureUnusable: it is broken or too large.
    """
    file = PictureFile(data, limits)
    picture = file.decode()
    reduced = shrink(picture, DETECTOR_SIDE)
    square = scene_input(shrink(reduced, _SCENE_SIDE))
    return DecodedPicture(picture, reduced, letterbox(reduced), square, file.as_preview())


def measure(decoded: DecodedPicture) -> Measures:
    """Measure a picture and make its previews."""
    gray = np.asarray(cv2.cvtColor(decoded.reduced, cv2.COLOR_RGB2GRAY), np.uint8)
    small = shrink(gray, THUMBNAIL_SIDE)
    tiny = cv2.resize(small, (quality.HASH_SIDE, quality.HASH_SIDE), interpolation=cv2.INTER_AREA)
    return Measures(
        sharpness=quality.sharpness(shrink(gray, quality.SHARPNESS_SIDE)),
        exposure=quality.exposure(small),
        perceptual_hash=quality.perceptual_hash(np.asarray(tiny, np.uint8)),
        screen=decoded.screen or encode_jpeg(decoded.picture, SCREEN_QUALITY),
        thumbnail=encode_jpeg(shrink(decoded.reduced, THUMBNAIL_SIDE), THUMBNAIL_QUALITY),
    )


def find_faces(detections: Detections, canvas: Letterbox) -> tuple[FoundFace, ...]:
    """Return the faces among the candidates, the largest first, at most `MAX_FACES`."""
    found = decode_faces(detections.boxes, detections.scores, detections.landmarks, canvas)
    largest = sorted(found, key=lambda face: -face.box[2] * face.box[3])[:MAX_FACES]
    return tuple(
        FoundFace(face.box, face.score, tuple((float(x), float(y)) for x, y in face.landmarks)) for face in largest
    )


def cut_out_faces(picture: Picture, faces: tuple[FoundFace, ...]) -> dict[int, Picture]:
    """Cuts out the faces that are sure and large enough to be told apart; index of the face -> chip."""
    height, width = picture.shape[:2]
    return {
        index: face_chip(picture, np.asarray(face.landmarks, np.float64))
        for index, face in enumerate(faces)
        if face.score >= EMBED_SCORE and min(face.box[2] * width, face.box[3] * height) >= EMBED_SIDE_PIXELS
    }


def rate(probability: float) -> Rating:
    """Says what the probability that a picture is intimate means."""
    return Rating(_LEVELS[rating_of(probability)], probability)


def kind_of_picture(metadata: Metadata, kinds: Floats, lines: Lines | None) -> tuple[Kind, float]:
    """Tells the kind: the phone knows its own screenshots; of everything else the models have an opinion.

    Args:
        metadata: What was known before.
        kinds: The scene classifier's opinion, [4].
        lines: What the text detector found; None where it was not asked.
    """
    if metadata.screenshot:
        return Kind.SCREENSHOT, 1.0
    finding = kind_of(kinds) if lines is None else confirmed_kind(kinds, lines=len(lines.boxes), area=lines.area)
    return Kind(finding.kind.value), finding.score


def withheld_findings(metadata: Metadata, measures: Measures, scene: Scene, rating: Rating) -> SceneFindings:
    """Put together what is kept of a picture that is excluded: nothing that says what it shows."""
    kind, score = kind_of_picture(metadata, scene.kinds, None)
    return SceneFindings(
        metadata=metadata,
        kind=kind,
        kind_score=score,
        tags=(),
        faces=(),
        sharpness=measures.sharpness,
        exposure=measures.exposure,
        perceptual_hash=measures.perceptual_hash,
        embedding=np.zeros_like(scene.embedding),
        rating=rating,
    )


def scene_findings(metadata: Metadata, measures: Measures, outputs: ModelOutputs) -> SceneFindings:
    """Put together what is kept of a picture."""
    kind, score = outputs.kind
    return SceneFindings(
        metadata=metadata,
        kind=kind,
        kind_score=score,
        tags=tuple(Tag(tag.name, tag.score) for tag in album_tags(outputs.scene.logits)),
        faces=outputs.faces,
        sharpness=measures.sharpness,
        exposure=measures.exposure,
        perceptual_hash=measures.perceptual_hash,
        embedding=outputs.scene.embedding,
        rating=outputs.rating,
        writing=outputs.writing,
        meaning=outputs.meaning,
    )
