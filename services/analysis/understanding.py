"""Understanding one picture: decode once, ask the models, put together what they say."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from services.analysis import seeing
from services.analysis.domain import Purpose
from services.analysis.exif import read_position
from services.analysis.findings import FoundFace, Metadata, Place, Seen, Templates
from services.analysis.pictures import Limits, PictureFile
from services.analysis.ports import Models
from services.analysis.seeing import Look, Measures

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
    """

    models: Models
    threads: Executor
    limits: Limits

    async def run(self, work: Callable[[], ResultT]) -> ResultT:
        """Does arithmetic in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


async def understand(
    data: bytes, metadata: Metadata, *, wanted: frozenset[Purpose], own: Purpose, known: Seen | None, eyes: Eyes
) -> Understood:
    """Finds what is wanted in a picture, and nothing else.

    Args:
        data: The file.
        metadata: What is known of it.
        wanted: The purposes to learn for: the media's own, LOCATION, FACE_GROUPING.
        own: The purpose that the media is kept for.
        known: What was seen in it before; needed when `own` is not wanted and FACE_GROUPING is.
        eyes: Models and threads.

    Raises:
        PictureUnusable: the file is broken or too large.
        ModelFault: a model gave no usable answer.
    """
    if wanted <= {Purpose.LOCATION}:
        exif = await eyes.run(lambda: PictureFile(data, eyes.limits).exif())
        return Understood(place=Place(read_position(exif)) if wanted else None)
    look = await eyes.run(partial(seeing.look, data, eyes.limits))
    seen, measures = await _see(look, metadata, eyes) if own in wanted else (known, None)
    faces = () if seen is None else seen.faces
    return Understood(
        seen=seen if own in wanted else None,
        place=Place(read_position(look.exif)) if Purpose.LOCATION in wanted else None,
        templates=await _templates(look, faces, eyes) if Purpose.FACE_GROUPING in wanted else None,
        preview=None if measures is None else measures.preview,
        thumbnail=None if measures is None else measures.thumbnail,
    )


async def _see(look: Look, metadata: Metadata, eyes: Eyes) -> tuple[Seen, Measures]:
    """Asks the models, and measures while they work."""
    detections, scene, measures = await asyncio.gather(
        eyes.models.detect(look.canvas.canvas),
        eyes.models.classify(look.square),
        eyes.run(partial(seeing.measure, look)),
    )
    faces = seeing.faces_in(detections, look.canvas)
    return seeing.seen(metadata, measures, faces, scene), measures


async def _templates(look: Look, faces: tuple[FoundFace, ...], eyes: Eyes) -> Templates:
    chips = await eyes.run(partial(seeing.chips_of, look.picture, faces)) if faces else {}
    if not chips:
        return Templates({})
    descriptors = await eyes.models.embed(tuple(chips.values()))
    return Templates(dict(zip(chips, descriptors, strict=True)))
