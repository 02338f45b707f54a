"""Pipeline of one picture: decoded once, shown to the models, and what they say put together."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from inference.vision.kinds import wants_text
from services.analysis.domain.findings import (
    Kind,
    Metadata,
    Place,
    Position,
    SceneFindings,
    Sensitivity,
    Templates,
    Writing,
)
from services.analysis.ports import Models, Scene
from services.analysis.vision import stages, text_lines
from services.analysis.vision.decoding import Limits, PictureFile
from services.analysis.vision.label_vectors import LabelVectorSource, meaning_of
from services.analysis.vision.stages import DecodedPicture, Measures, ModelOutputs
from services.keyring import Purpose
from services.picture_files.embedded import read_embedded
from services.picture_files.position import embedded_position

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class PipelineResult:
    """What came of a picture, by purpose; None where it was not asked for.

    Attributes:
        scene: For the media's own purpose.
        place: For LOCATION.
        templates: For FACE_GROUPING.
        screen: The larger preview as JPEG, with `scene`.
        thumbnail: Likewise.
    """

    scene: SceneFindings | None = None
    place: Place | None = None
    templates: Templates | None = None
    screen: bytes | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class VisionModels:
    """The models, and what their inputs are computed with.

    Attributes:
        models: The nets.
        threads: Where decoding and measuring happen; as many at a time as it has threads.
        limits: How much is decoded.
        labels: Label vectors of the text encoder.
    """

    models: Models
    threads: Executor
    limits: Limits
    labels: LabelVectorSource

    async def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Do arithmetic in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


async def analyze_picture(
    data: bytes,
    metadata: Metadata,
    *,
    wanted: frozenset[Purpose],
    own: Purpose,
    known: SceneFindings | None,
    encoder: str,
    vision: VisionModels,
) -> PipelineResult:
    """Find what is wanted in a picture, and nothing else.

    Args:
        data: The file.
        metadata: What is known of it.
        wanted: The purposes to learn for: the media's own, LOCATION, FACE_GROUPING.
        own: The purpose that the media is kept for.
        known: What was found in it before; needed when `own` is not wanted and FACE_GROUPING is.
        encoder: Identity of the text encoder; "" without one.
        vision: Models and threads.

    Raises:
        PictureUnusable: the file is broken or too large.
        ModelFault: a model gave no usable answer.
    """
    if wanted <= {Purpose.LOCATION}:
        await vision.run(lambda: PictureFile(data, vision.limits))
        return PipelineResult(place=await vision.run(lambda: _place(data)) if wanted else None)
    decoded = await vision.run(partial(stages.decode_picture, data, vision.limits))
    found, measures = await _find_scene(decoded, metadata, encoder, vision) if own in wanted else (known, None)
    return PipelineResult(
        scene=found if own in wanted else None,
        place=await vision.run(lambda: _place(data)) if Purpose.LOCATION in wanted else None,
        templates=await _templates(decoded, found, vision) if Purpose.FACE_GROUPING in wanted else None,
        screen=None if measures is None else measures.screen,
        thumbnail=None if measures is None else measures.thumbnail,
    )


def _place(data: bytes) -> Place:
    """Return where a picture says it was taken. Called only with LOCATION's key in hand."""
    position = embedded_position(read_embedded(data))
    return Place(None if position is None else Position(*position))


async def _find_scene(
    decoded: DecodedPicture, metadata: Metadata, encoder: str, vision: VisionModels
) -> tuple[SceneFindings, Measures]:
    """Ask the models; first of all whether anything may be derived from the picture."""
    scene, probability, measures = await asyncio.gather(
        vision.models.classify(decoded.square),
        vision.models.rate(decoded.square),
        vision.run(partial(stages.measure, decoded)),
    )
    rating = stages.rate(probability)
    if rating.level is Sensitivity.EXCLUDED:
        return stages.withheld_findings(metadata, measures, scene, rating), measures
    detections, (kind, written), labels = await asyncio.gather(
        vision.models.detect(decoded.canvas.canvas),
        _read(decoded, metadata, scene, vision),
        vision.labels.for_encoder(encoder),
    )
    faces = stages.find_faces(detections, decoded.canvas)
    meaning = meaning_of(scene.logits, labels, faces=len(faces))
    return stages.scene_findings(
        metadata, measures, ModelOutputs(scene, rating, kind, faces, written, meaning)
    ), measures


async def _read(
    decoded: DecodedPicture, metadata: Metadata, scene: Scene, vision: VisionModels
) -> tuple[tuple[Kind, float], Writing]:
    """Read a picture that may be there to be read, and tell its kind by that."""
    if not (metadata.screenshot or wants_text(scene.kinds)):
        return stages.kind_of_picture(metadata, scene.kinds, None), Writing()
    text_map = await vision.models.find_text(decoded.canvas.canvas)
    lines = await vision.run(partial(text_lines.find_lines, text_map, decoded.canvas))
    kind = stages.kind_of_picture(metadata, scene.kinds, lines)
    if kind[0] is Kind.PHOTO:
        return kind, Writing(lines.area)
    pieces = await vision.run(partial(text_lines.cut_out, decoded.picture, lines))
    spellings = await vision.models.read([piece.picture for piece in pieces])
    return kind, Writing(lines.area, await vision.run(partial(text_lines.read_lines, pieces, spellings)))


async def _templates(decoded: DecodedPicture, found: SceneFindings | None, vision: VisionModels) -> Templates:
    """Describe the faces of a picture; never those on papers, which may prove who somebody is."""
    if found is None or not found.faces or found.kind in (Kind.DOCUMENT, Kind.RECEIPT):
        return Templates({})
    chips = await vision.run(partial(stages.cut_out_faces, decoded.picture, found.faces))
    if not chips:
        return Templates({})
    descriptors = await vision.models.embed(tuple(chips.values()))
    return Templates(dict(zip(chips, descriptors, strict=True)))
