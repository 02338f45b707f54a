"""Measurement behind `bench upload`: sealed, durable photos, held against raw puts into the same store.

Rounds of both alternate, with as many bytes at the same concurrency. The photos are real in everything that the upload
looks at (size, structure, entropy), but say that they have 12 bits a channel, which no decoder of the analysis service
takes: it parks them. A round begins only when the analysis of the one before is through, so that neither is measured
beside it. Everything is erased afterwards.
"""

from __future__ import annotations

import asyncio
import io
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import urllib3
from minio import Minio
from minio.deleteobjects import DeleteObject
from PIL import Image

from deploy.local import daemon
from deploy.local.credentials import Passwords
from deploy.local.home import default_home
from inference.load.turns import Compared, in_turn
from pellicule.analysis.v1 import analysis_service_pb2
from services.cli.bench.photos import CONCURRENCY, Photo, person, upload_all, with_comment
from services.cli.bench.ratio_row import ratio_row
from services.cli.client import SHORT_CALL_SECONDS, Services
from services.cli.stack.failures import stack_failures

GOAL = 0.5
PHOTO_BYTES = 2_000_000
PHOTOS_PER_ROUND = 32
FEWEST_ROUNDS, MOST_ROUNDS = 6, 24
SETTLE_SECONDS = 30.0
POLL_SECONDS = 0.25

_BUCKET = "media"
_IDENTITY = "ingest"
_SIDES = (2000, 1500)
_SOF0 = b"\xff\xc0"
_COMMENT_BYTES = 65_000


async def measure() -> AsyncIterator[Mapping[str, object]]:
    """Yield one line: photos a second through the stack, and how many of a raw put's speed that is.

    Needs a running stack; takes one to three minutes.
    """
    template = await asyncio.to_thread(_template)
    with stack_failures():
        store = _raw_store()
    async with person("CLOUD_PROCESSING") as services:
        compared = await _compare(services, store, template)
    yield ratio_row("upload", "photos/s", compared, goal=GOAL)


async def _compare(services: Services, store: Minio, template: bytes) -> Compared:
    """Return photos a second through the stack, held against raw puts; a first round of each warms both up."""
    uploaded = 0

    async def through_stack() -> float:
        nonlocal uploaded
        photos = [_photo(template) for _ in range(PHOTOS_PER_ROUND)]
        seconds = await _stack_round(services, photos)
        uploaded += len(photos)
        await _settle(services, uploaded)
        return len(photos) / seconds

    with ThreadPoolExecutor(CONCURRENCY) as threads:

        async def raw() -> float:
            photos = [_photo(template) for _ in range(PHOTOS_PER_ROUND)]
            return len(photos) / await asyncio.to_thread(_raw_round, store, threads, photos)

        await through_stack()
        await raw()
        return await in_turn(through_stack, raw, fewest=FEWEST_ROUNDS, most=MOST_ROUNDS)


async def _stack_round(services: Services, photos: Sequence[Photo]) -> float:
    """Upload photos through the service; return the seconds until the last was durable."""
    started = time.perf_counter()
    await upload_all(services, photos)
    return time.perf_counter() - started


async def _settle(services: Services, count: int) -> None:
    """Wait until nothing is left to be understood, or for so long that something else must be wrong."""
    request = analysis_service_pb2.GetProgressRequest()
    for _ in range(round(SETTLE_SECONDS / POLL_SECONDS)):
        progress = await services.analysis.GetProgress(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
        if not progress.pending_count and progress.done_count + progress.parked_count >= count:
            return
        await asyncio.sleep(POLL_SECONDS)


def _raw_round(store: Minio, threads: ThreadPoolExecutor, photos: Sequence[Photo]) -> float:
    """Put the same bytes with the store's own client; return the seconds until the last was durable."""
    names = [secrets.token_hex(16) for _ in photos]
    started = time.perf_counter()
    list(threads.map(lambda name, photo: _put(store, name, photo), names, photos))
    seconds = time.perf_counter() - started
    list(store.remove_objects(_BUCKET, map(DeleteObject, names)))
    return seconds


def _put(store: Minio, name: str, photo: Photo) -> None:
    store.put_object(_BUCKET, name, io.BytesIO(photo.content), len(photo.content))


def _raw_store() -> Minio:
    home = default_home()
    state = daemon.running_state(home)
    return Minio(
        state.address(state.object_store) or "",
        access_key=_IDENTITY,
        secret_key=Passwords.ensure(home, ()).of(f"s3-{_IDENTITY}"),
        secure=False,
        region="us-east-1",
        http_client=urllib3.PoolManager(maxsize=CONCURRENCY),
    )


def _template() -> bytes:
    """Return a JPEG of about `PHOTO_BYTES` whose header claims 12 bits a channel."""
    noise = np.random.default_rng(1).integers(64, 192, (*_SIDES[::-1], 3), dtype=np.uint8)
    encoded = (_jpeg(Image.fromarray(noise), quality) for quality in range(90, 30, -2))
    content = bytearray(next(data for data in encoded if len(data) <= PHOTO_BYTES))
    content[content.index(_SOF0) + 4] = 12
    return bytes(content)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _photo(template: bytes) -> Photo:
    """Return a photo of its own: the template with comments that no other has, padded to the full size."""
    content, filling = template, secrets.token_bytes(16)
    while (missing := PHOTO_BYTES - len(content)) > len(filling) + 4:
        content = with_comment(content, (filling + bytes(_COMMENT_BYTES))[: min(_COMMENT_BYTES, missing - 4)])
    return Photo(content, *_SIDES)
