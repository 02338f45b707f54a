"""Understanding one picture: decode once, ask the models, put together what they say."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from inference.vision.kinds import wants_text
from services.analysis import seeing, writing
from services.analysis.domain import Purpose
from services.analysis.exif import read_position
from services.analysis.findings import Kind, Metadata, Place, Seen, Sensitivity, Templates, Writing
from services.analysis.pictures import Limits, PictureFile
from services.analysis.ports import Models, Scene
from services.analysis.seeing import Look, Measures, Shown
from services.analysis.wording import Wording, meaning_of

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class Understood:
    """What came of a picture, by purpose; None where it was not asked for.

    Attributes:
        seen: For the media's own purpose.
        place: For LOCATION.
        templates: For FACE_GROUPING.
        preview: Reduced copy as JPEG, with `seen`.
        thumbnail: Likewise.
    """

    seen: Seen | None = None
    place: Place | None = None
    templates: Templates | None = None
    preview: bytes | None = field(default=None, repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Eyes:
    """What it takes to look at pictures.

    Attributes:
        models: The nets.
        threads: Where decoding and measuring happen; as many at a time as it has threads.
        limits: How much is decoded.
        wording: Knows where the labels of pictures point.
    """

    models: Models
    threads: Executor
    limits: Limits
    wording: Wording

    async def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Does arithmetic in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


async def understand(
    data: bytes,
    metadata: Metadata,
    *,
    wanted: frozenset[Purpose],
    own: Purpose,
    known: Seen | None,
    encoder: str,
    eyes: Eyes,
) -> Understood:
    """Finds what is wanted in a picture, and nothing else.

    Args:
        data: The file.
        metadata: What is known of it.
        wanted: The purposes to learn for: the media's own, LOCATION, FACE_GROUPING.
        own: The purpose that the media is kept for.
        known: What was seen in it before; needed when `own` is not wanted and FACE_GROUPING is.
        encoder: Identity of the text encoder; "" without one.
        eyes: Models and threads.

    Raises:
        PictureUnusable: the file is broken or too large.
        ModelFault: a model gave no usable answer.
    """
    if wanted <= {Purpose.LOCATION}:
        exif = await eyes.run(lambda: PictureFile(data, eyes.limits).exif())
        return Understood(place=Place(read_position(exif)) if wanted else None)
    look = await eyes.run(partial(seeing.look, data, eyes.limits))
    seen, measures = await _see(look, metadata, encoder, eyes) if own in wanted else (known, None)
    return Understood(
        seen=seen if own in wanted else None,
        place=Place(read_position(look.exif)) if Purpose.LOCATION in wanted else None,
        templates=await _templates(look, seen, eyes) if Purpose.FACE_GROUPING in wanted else None,
        preview=None if measures is None else measures.preview,
        thumbnail=None if measures is None else measures.thumbnail,
    )


async def _see(look: Look, metadata: Metadata, encoder: str, eyes: Eyes) -> tuple[Seen, Measures]:
    """Asks the models; first of all whether the picture may be looked at any further."""
    scene, probability, measures = await asyncio.gather(
        eyes.models.classify(look.square),
        eyes.models.rate(look.square),
        eyes.run(partial(seeing.measure, look)),
    )
    rating = seeing.rated(probability)
    if rating.level is Sensitivity.EXCLUDED:
        return seeing.withheld(metadata, measures, scene, rating), measures
    detections, (kind, written), labels = await asyncio.gather(
        eyes.models.detect(look.canvas.canvas), _read(look, metadata, scene, eyes), eyes.wording.labels(encoder)
    )
    faces = seeing.faces_in(detections, look.canvas)
    meaning = meaning_of(scene.logits, labels, faces=len(faces))
    return seeing.seen(metadata, measures, Shown(scene, rating, kind, faces, written, meaning)), measures


async def _read(look: Look, metadata: Metadata, scene: Scene, eyes: Eyes) -> tuple[tuple[Kind, float], Writing]:
    """Reads a picture that may be there to be read, and tells its kind by that."""
    if not (metadata.screenshot or wants_text(scene.kinds)):
        return seeing.kind_of_picture(metadata, scene.kinds, None), Writing()
    text_map = await eyes.models.find_text(look.canvas.canvas)
    lines = await eyes.run(partial(writing.lines_in, text_map, look.canvas))
    kind = seeing.kind_of_picture(metadata, scene.kinds, lines)
    if kind[0] is Kind.PHOTO:
        return kind, Writing(lines.area)
    pieces = await eyes.run(partial(writing.cut_out, look.picture, lines))
    spellings = await eyes.models.read([piece.picture for piece in pieces])
    return kind, Writing(lines.area, await eyes.run(partial(writing.read_lines, pieces, spellings)))


async def _templates(look: Look, seen: Seen | None, eyes: Eyes) -> Templates:
    """Describes the faces of a picture; never those on papers, which may prove who somebody is."""
    if seen is None or not seen.faces or seen.kind in (Kind.DOCUMENT, Kind.RECEIPT):
        return Templates({})
    chips = await eyes.run(partial(seeing.chips_of, look.picture, seen.faces))
    if not chips:
        return Templates({})
    descriptors = await eyes.models.embed(tuple(chips.values()))
    return Templates(dict(zip(chips, descriptors, strict=True)))
