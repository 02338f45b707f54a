"""The bytes of one stream on their way: hashed, checked, sealed, and put into the store."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

from services.chassis.object_store import random_name
from services.chassis.seal import CHUNK_SIZE, StreamOpener, StreamSealer
from services.ingest.content.check import ContentCheck
from services.ingest.content.picture import Picture
from services.ingest.domain import BUCKET, Announcement, stream_aad
from services.ingest.errors import ChecksumMismatch, SizeMismatch
from services.ingest.intake import Intake
from services.ingest.operations import upload_not_found
from services.ingest.ports import Adding, NewSegment
from services.ingest.records import Segment, UploadRow
from services.ingest.starting import refusal

_WORTH_A_THREAD = 128 * 1024
"""Bytes from which the work on a chunk is given to a thread; less is done faster than handed over."""


class Hold:
    """What a stream has of its upload: the writer's lock, and a row in the store.

    An upload that starts with its stream has neither until they are needed: a small one that arrives whole is stored
    complete, and nobody else can know its name before.
    """

    def __init__(self, intake: Intake, row: UploadRow, *, is_locked: bool, is_stored: bool) -> None:
        self._intake = intake
        self._row = row
        self._is_locked = is_locked
        self.is_stored = is_stored

    async def store(self) -> None:
        """Stores the upload if that was not needed before.

        Raises:
            UploadInProgress: the same request or the same bytes came in by another stream meanwhile.
            QuotaExceeded: the person's share of the store was used up meanwhile.
            PurposeNotGranted: the purpose was withdrawn meanwhile.
        """
        if not self.is_stored:
            self._is_locked = self._is_locked or await self._intake.locks.acquire(self._row.id)
            added = await self._intake.uploads.add(self._row, quota_bytes=self._intake.policy.quota_bytes)
            if added is not Adding.ADDED:
                raise refusal(self._intake, self._row, added)
            self.is_stored = True

    async def give_up(self) -> None:
        """Forgets the upload with all that was received of it."""
        if self.is_stored:
            await self._intake.uploads.discard(self._row.subject, self._row.id, self._intake.clock.now())

    async def release(self) -> None:
        """Gives the lock back; a key that sealed nothing which was stored is destroyed."""
        if self._is_locked:
            self._is_locked = False
            await self._intake.locks.release(self._row.id)
        if not self.is_stored:
            await self._intake.keyring.destroy(subject=self._row.subject, ids=[str(self._row.data_key_id)])


class Reception:
    """What one stream brings to an upload; not safe for two calls at a time."""

    def __init__(
        self, intake: Intake, hold: Hold, row: UploadRow, announcement: Announcement, data_key_id: UUID, key: bytes
    ) -> None:
        self._intake = intake
        self._aad = stream_aad(data_key_id, row.purpose)
        self._sealer = StreamSealer(
            key, self._aad, first_chunk=row.committed_bytes // CHUNK_SIZE, prefix=row.seal_prefix
        )
        self._digest = hashlib.sha256()
        self._check = ContentCheck(intake.policy.limits, row.size_bytes)
        self._sealed: list[bytes] = []
        self._received = row.committed_bytes
        self.hold = hold
        self.row = row
        self.data_key_id = data_key_id
        self.key = key
        self.announcement = announcement
        self.segments: list[Segment] = []

    @property
    def is_whole(self) -> bool:
        """Whether all bytes announced are there."""
        return self._received == self.row.size_bytes

    async def replay(self) -> None:
        """Hashes and checks what earlier streams brought."""
        if not self.row.committed_bytes:
            return
        self.segments = await self._intake.uploads.segments(self.data_key_id)
        opener = StreamOpener(self.key, self._aad)
        async for piece in self._stored():
            await asyncio.to_thread(self._look_at, opener.update(piece))
        # One byte more tells the opener that the chunk it holds back is not the last of the stream.
        await asyncio.to_thread(self._look_at, opener.update(b"\0"))

    async def take(self, chunk: bytes) -> None:
        """Takes the next bytes; what has piled up goes into the store.

        Raises:
            ContentRefused: there are too many, or they cannot belong to a picture.
        """
        self._received += len(chunk)
        if self._received > self.row.size_bytes:
            raise SizeMismatch(
                f"more than the {self.row.size_bytes} bytes announced arrived: start the upload again",
                metadata={"announced_size_bytes": str(self.row.size_bytes)},
            )
        if len(chunk) < _WORTH_A_THREAD:
            self._absorb(chunk)
        else:
            await asyncio.to_thread(self._absorb, chunk)
        if sum(map(len, self._sealed)) >= self._intake.policy.segment_bytes:
            await self.commit_whole_chunks()

    async def commit_whole_chunks(self) -> UploadRow:
        """Puts what is sealed into the store, moves the committed offset, and returns the upload as it is now.

        Raises:
            UploadNotFound: the upload was purged, or is not as it was when this stream began.
            DomainError: as `Hold.store`.
        """
        committed = self._sealer.next_chunk * CHUNK_SIZE
        if committed > self.row.committed_bytes:
            await self.hold.store()
            new = await self._put(b"".join(self._sealed))
            prefix = self._sealer.prefix
            if not await self._intake.uploads.commit_segment(self.row, new, committed_bytes=committed, prefix=prefix):
                await self.take_back(new)
                raise upload_not_found(self.row.id)
            self._sealed.clear()
            self.segments.append(new.segment)
            self.row = replace(self.row, committed_bytes=committed, seal_prefix=prefix)
        return self.row

    def verify(self) -> Picture:
        """Returns what the file is, now that all of it is there.

        Raises:
            ContentRefused: it is not what was announced, or no whole picture.
        """
        expected, received = self.announcement.sha256, self._digest.digest()
        if received != expected:
            raise ChecksumMismatch(
                "its SHA-256 is not the one announced, so what arrived was deleted: start the upload again",
                metadata={"expected": expected.hex(), "received": received.hex()},
            )
        return self._check.finish()

    async def put_last(self) -> NewSegment:
        """Puts the end of the stream into the store; it is committed with the media."""
        return await self._put(b"".join((*self._sealed, self._sealer.finish())))

    async def take_back(self, new: NewSegment) -> None:
        """Deletes an object that was put and will not be committed."""
        await self._intake.objects.delete(BUCKET, [new.segment.object])

    async def _put(self, sealed: bytes) -> NewSegment:
        segment = Segment(random_name(), len(sealed))
        await self._intake.objects.put(BUCKET, segment.object, sealed)
        return NewSegment(segment, position=len(self.segments))

    def _absorb(self, chunk: bytes) -> None:
        self._look_at(chunk)
        sealed = self._sealer.update(chunk)
        if sealed:
            self._sealed.append(sealed)

    def _look_at(self, data: bytes) -> None:
        self._digest.update(data)
        self._check.feed(data)

    async def _stored(self) -> AsyncIterator[bytes]:
        for segment in self.segments:
            async for piece in self._intake.objects.stream(BUCKET, segment.object):
                yield piece
