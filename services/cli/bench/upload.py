"""The measurement behind `bench upload`: sealed, durable photos, held against raw puts into the same store.

Rounds of both alternate, with as many bytes at the same concurrency. The photos are real in everything that the upload
looks at (size, structure, entropy), but say that they have 12 bits a channel, which no decoder of the analysis service
takes: it parks them. A round begins only when the analysis of the one before is through, so that neither is measured
beside it. Everything is erased afterwards.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import numpy as np
import urllib3
from google.protobuf.timestamp_pb2 import Timestamp
from minio import Minio
from minio.deleteobjects import DeleteObject
from PIL import Image

from deploy.local import daemon
from deploy.local.credentials import Passwords
from deploy.local.home import default_home
from inference.load.turns import Compared, in_turn
from pellicule.analysis.v1 import analysis_service_pb2
from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.cli.access import access_of
from services.cli.account.erasure import erase
from services.cli.bench.ratio_row import ratio_row
from services.cli.client import CHUNK_SIZE, LONG_CALL_SECONDS, SHORT_CALL_SECONDS, Services, connect
from services.cli.consent import decisions
from services.cli.output import console
from services.cli.stack.failures import stack_failures

GOAL = 0.5
PHOTO_BYTES = 2_000_000
PHOTOS_PER_ROUND = 32
FEWEST_ROUNDS, MOST_ROUNDS = 6, 24
CONCURRENCY = 8
SETTLE_SECONDS = 30.0
POLL_SECONDS = 0.25

_BUCKET = "media"
_IDENTITY = "ingest"
_SIDES = (2000, 1500)
_SOF0 = b"\xff\xc0"
_COMMENT = b"\xff\xfe"


@dataclass(frozen=True)
class Photo:
    """A photo and what a phone knows of it before it uploads."""

    content: bytes
    sha256: bytes


async def measure() -> AsyncIterator[Mapping[str, object]]:
    """Yield one line: photos a second through the stack, and how many of a raw put's speed that is.

    Needs a running stack; takes one to three minutes.
    """
    template = await asyncio.to_thread(_template)
    with stack_failures():
        store = _raw_store()
    subject = f"bench-{secrets.token_hex(8)}"
    async with connect(access_of(subject)) as services:
        await _grant(services)
        try:
            compared = await _compare(services, store, template)
        finally:
            await erase(services)
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
    slots = asyncio.Semaphore(CONCURRENCY)
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for photo in photos:
            group.create_task(_upload(services, slots, photo))
    return time.perf_counter() - started


async def _settle(services: Services, count: int) -> None:
    """Wait until nothing is left to be understood, or for so long that something else must be wrong."""
    request = analysis_service_pb2.GetProgressRequest()
    for _ in range(round(SETTLE_SECONDS / POLL_SECONDS)):
        progress = await services.analysis.GetProgress(request, metadata=services.headers, timeout=SHORT_CALL_SECONDS)
        if not progress.pending_count and progress.done_count + progress.parked_count >= count:
            return
        await asyncio.sleep(POLL_SECONDS)


async def _upload(services: Services, slots: asyncio.Semaphore, photo: Photo) -> None:
    async with slots:
        await services.media.UploadMedia(_stream(photo), metadata=services.headers, timeout=LONG_CALL_SECONDS)


def _start_request(photo: Photo) -> media_service_pb2.StartUploadRequest:
    capture_time = Timestamp()
    capture_time.FromDatetime(datetime.now(UTC) - timedelta(days=1))
    width, height = _SIDES
    asset = media_pb2.AssetSummary(
        client_id=photo.sha256.hex(), sha256=photo.sha256, capture_time=capture_time, size_bytes=len(photo.content),
        width=width, height=height, content_type="image/jpeg", file_name="bench.jpg",
    )  # fmt: skip
    return media_service_pb2.StartUploadRequest(
        request_id=str(uuid4()),
        asset=asset,
        form=media_pb2.MEDIA_FORM_ORIGINAL,
        size_bytes=len(photo.content),
        sha256=photo.sha256,
    )


async def _stream(photo: Photo) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    yield media_service_pb2.UploadMediaRequest(header=media_service_pb2.UploadHeader(start=_start_request(photo)))
    for position in range(0, len(photo.content), CHUNK_SIZE):
        yield media_service_pb2.UploadMediaRequest(chunk=photo.content[position : position + CHUNK_SIZE])


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
    """Return a photo of its own: the template with a comment that no other has, padded to the full size."""
    filling = secrets.token_bytes(16)
    comments = b""
    missing = PHOTO_BYTES - len(template)
    while missing > len(comments) + 20:
        body = (filling + bytes(65_000))[: min(65_000, missing - len(comments) - 4)]
        comments += _COMMENT + (len(body) + 2).to_bytes(2, "big") + body
    content = template[:2] + comments + template[2:]
    return Photo(content, hashlib.sha256(content).digest())


async def _grant(services: Services) -> None:
    person = decisions.Person(region="CA", adult=True, language="en")
    with _silence():
        await decisions.decide(services, person, {"CLOUD_PROCESSING": True})


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the notice, which is not read here, off the terminal."""
    console.quiet = True
    try:
        yield
    finally:
        console.quiet = False
