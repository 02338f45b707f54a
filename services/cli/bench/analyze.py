"""Measurement behind `bench analyze`: photos understood by the running stack, held against the bare models.

The whole way is measured from the moment at which the last photo is stored to the moment at which the last findings
are: reading, unsealing, decoding, previews, the models on the inference server, sealing and storing. The limit is what
ONNX Runtime does on all cores with the same models and the same pictures, decoded already, and nothing else to do.
Rounds of both alternate. What a round has stored is erased, by every store, before the next.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from deploy.samples.building import build_roll
from inference.load.turns import in_turn
from inference.model_build.build import default_home as models_home
from inference.reference import measure as measure_models
from inference.vision.pictures import Picture
from pellicule.analysis.v1 import analysis_service_pb2
from services.cli.bench.photos import Photo, person, upload_all, with_comment
from services.cli.bench.ratio_row import ratio_row
from services.cli.client import SHORT_CALL_SECONDS, Services
from services.cli.output import CommandFailed
from services.cli.photos import listing, roll

GOAL = 0.8
PHOTOS_PER_ROUND = 168
FEWEST_ROUNDS, MOST_ROUNDS = 3, 6
WARM_UP = 12
LONG_SIDE = 2048
"""The bare models get their pictures at the size at which the service works."""
IN_WORK = 20
"""Photos that the service has in work at a time."""
STALLED_SECONDS = 120.0
POLL_SECONDS = 0.5


async def measure() -> AsyncIterator[Mapping[str, object]]:
    """Yield one line: photos understood a second, and how many the bare models do.

    Needs a running stack and the sample roll's sources; takes four to seven minutes.
    """
    photos = await asyncio.to_thread(_photos)
    pictures = await asyncio.to_thread(lambda: [_picture(photo) for photo in photos])
    await _stack_round(photos[:WARM_UP])
    compared = await in_turn(
        lambda: _stack_round(photos),
        lambda: asyncio.to_thread(_bare_round, pictures),
        fewest=FEWEST_ROUNDS,
        most=MOST_ROUNDS,
    )
    yield ratio_row("analyze", "photos/s", compared, goal=GOAL)


async def _stack_round(photos: Sequence[Photo]) -> float:
    """Bring photos in as a person of their own; return how many are understood a second once all are stored."""
    async with person("CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING") as services:
        await upload_all(services, photos)
        stored = datetime.now(UTC)
        await _wait(services, len(photos))
        return await _rate(services, stored)


async def _rate(services: Services, since: datetime) -> float:
    """Return findings stored a second, from a moment on until the last.

    What was in work at that moment counts half, as far as anything was done by then: as long as nothing was, the
    uploads had the machine to themselves, and hardly anything was begun.
    """
    times = [analysis.analyze_time.ToDatetime(UTC) for analysis in await listing.analyses(services)]
    later = [time for time in times if time > since]
    if len(later) <= IN_WORK:
        return len(times) / max((max(times) - min(times)).total_seconds(), 1e-3)
    begun = min(IN_WORK / 2, len(times) - len(later))
    return (len(later) - begun) / (max(later) - since).total_seconds()


async def _wait(services: Services, count: int) -> None:
    last, since = -1, asyncio.get_running_loop().time()
    while True:
        reply = await services.analysis.GetProgress(
            analysis_service_pb2.GetProgressRequest(), metadata=services.headers, timeout=SHORT_CALL_SECONDS
        )
        done = reply.done_count + reply.parked_count
        if done >= count and not reply.pending_count:
            return
        now = asyncio.get_running_loop().time()
        if done != last:
            last, since = done, now
        if now - since > STALLED_SECONDS:
            raise CommandFailed("ANALYSIS_STALLED", f"{count - done} photos are not understood; look at the logs")
        await asyncio.sleep(POLL_SECONDS)


def _bare_round(pictures: Sequence[Picture]) -> float:
    cores = len(os.sched_getaffinity(0))
    return measure_models(models_home(), pictures, workers=cores, embeds_faces=True).per_second


def _photos() -> list[Photo]:
    """Return the JPEGs of the sample roll as a phone would upload them, each often enough, no two alike."""
    built = build_roll(models_home().with_name("roll"), now=datetime.now(UTC))
    roll.register_formats()
    rows = [row for row in built.files if row.in_window and row.file.lower().endswith((".jpg", ".jpeg"))]
    originals = [_as_uploaded(built.pictures / row.file) for row in rows]
    return [
        replace(photo, content=with_comment(photo.content, secrets.token_bytes(16)))
        for photo in itertools.islice(itertools.cycle(originals), PHOTOS_PER_ROUND)
    ]


def _as_uploaded(path: Path) -> Photo:
    header = roll.read_header(path)
    small = max(header.width, header.height) <= 2048
    return Photo(
        path.read_bytes() if small else roll.reduce(path, 2048, with_position=True), header.width, header.height
    )


def _picture(photo: Photo) -> Picture:
    """Return the photo decoded, upright, at the size at which the service works."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(photo.content))).convert("RGB")
    image.thumbnail((LONG_SIDE, LONG_SIDE))
    return np.asarray(image, np.uint8)
