"""Photos as a bench uploads them, for a person of its own who is erased afterwards."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from pellicule.ingest.v1 import media_pb2, media_service_pb2
from services.cli.access import access_of
from services.cli.account.erasure import erase
from services.cli.client import CHUNK_SIZE, LONG_CALL_SECONDS, Services, connect
from services.cli.consent import decisions
from services.cli.output import console

CONCURRENCY = 8
_COMMENT = b"\xff\xfe"
_START_OF_IMAGE = 2


@dataclass(frozen=True)
class Photo:
    """A JPEG as a phone uploads it, with its upright sides in pixels."""

    content: bytes
    width: int
    height: int


@asynccontextmanager
async def person(*purposes: str) -> AsyncIterator[Services]:
    """Connect as a new person who has granted purposes; erase everything of the person at the end."""
    async with connect(access_of(f"bench-{secrets.token_hex(8)}")) as services:
        with _silence():
            declared = decisions.Person(region="CA", adult=True, language="en")
            await decisions.decide(services, declared, dict.fromkeys(purposes, True))
        try:
            yield services
        finally:
            await erase(services)


async def upload_all(services: Services, photos: Sequence[Photo]) -> None:
    """Upload photos, a few at a time; return when the last one is durable."""
    slots = asyncio.Semaphore(CONCURRENCY)

    async def one(photo: Photo) -> None:
        async with slots:
            await services.media.UploadMedia(_stream(photo), metadata=services.headers, timeout=LONG_CALL_SECONDS)

    async with asyncio.TaskGroup() as group:
        for photo in photos:
            group.create_task(one(photo))


def with_comment(jpeg: bytes, text: bytes) -> bytes:
    """Return a JPEG with one more comment of at most 65533 bytes: the same picture under another hash."""
    segment = _COMMENT + (len(text) + 2).to_bytes(2, "big") + text
    return jpeg[:_START_OF_IMAGE] + segment + jpeg[_START_OF_IMAGE:]


async def _stream(photo: Photo) -> AsyncIterator[media_service_pb2.UploadMediaRequest]:
    yield media_service_pb2.UploadMediaRequest(header=media_service_pb2.UploadHeader(start=_start(photo)))
    for position in range(0, len(photo.content), CHUNK_SIZE):
        yield media_service_pb2.UploadMediaRequest(chunk=photo.content[position : position + CHUNK_SIZE])


def _start(photo: Photo) -> media_service_pb2.StartUploadRequest:
    capture_time, digest = Timestamp(), hashlib.sha256(photo.content).digest()
    capture_time.FromDatetime(datetime.now(UTC) - timedelta(days=1))
    asset = media_pb2.AssetSummary(
        client_id=digest.hex(), sha256=digest, capture_time=capture_time, size_bytes=len(photo.content),
        width=photo.width, height=photo.height, content_type="image/jpeg", file_name="bench.jpg",
    )  # fmt: skip
    return media_service_pb2.StartUploadRequest(
        request_id=str(uuid4()), asset=asset, form=media_pb2.MEDIA_FORM_ORIGINAL,
        size_bytes=len(photo.content), sha256=digest,
    )  # fmt: skip


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the notice, which is not read here, off the terminal."""
    console.quiet = True
    try:
        yield
    finally:
        console.quiet = False
