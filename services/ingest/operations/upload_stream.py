"""Upload stream: its bytes are hashed, checked, sealed, and put into the store as they come."""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

from services.chassis.object_store import random_name
from services.chassis.seal import CHUNK_SIZE, StreamOpener, StreamSealer, open_bytes, seal_bytes
from services.ingest.content.check import ContentCheck
from services.ingest.content.picture import Picture
from services.ingest.domain.media import BUCKET, Announcement
from services.ingest.domain.records import NewSegment, Segment, UploadRow
from services.ingest.domain.seals import tail_aad
from services.ingest.errors import ChecksumMismatch, SizeMismatch
from services.ingest.operations.dependencies import Dependencies
from services.ingest.operations.upload_lease import UploadLease
from services.keyring import artefact_aad
from services.picture_files.blocks import Blocks
from services.picture_files.embedded import EmbeddedReader

_THREAD_BYTES = 128 * 1024
"""Bytes from which the work on a chunk is given to a thread; less is done faster than handed over."""


class UploadStream:
    """What one stream brings to an upload; not safe for two calls at a time."""

    def __init__(
        self,
        dependencies: Dependencies,
        lease: UploadLease,
        row: UploadRow,
        announcement: Announcement,
        data_key_id: UUID,
        key: bytes,
    ) -> None:
        self._dependencies = dependencies
        self._aad = artefact_aad(data_key_id, row.purpose)
        # A part for each writer: what an earlier one sealed and did not commit may be in the store.
        first_chunk, part = row.chunked_bytes // CHUNK_SIZE, row.writer if row.chunked_bytes else 0
        self._sealer = StreamSealer(key, self._aad, first_chunk=first_chunk, prefix=row.seal_prefix, part=part)
        self._digest = hashlib.sha256()
        self._check = ContentCheck(dependencies.policy.limits, row.size_bytes)
        self._embedded = EmbeddedReader()
        self._sealed: list[bytes] = []
        self._received = row.committed_bytes
        self._waiting_since: float | None = None
        self.lease = lease
        self.row = row
        self.data_key_id = data_key_id
        self.key = key
        self.announcement = announcement
        self.segments: list[Segment] = []

    @property
    def blocks(self) -> Blocks:
        """What the file says of itself, as far as it has come."""
        return self._embedded.blocks

    @property
    def is_whole(self) -> bool:
        """Whether all bytes announced are there."""
        return self._received == self.row.size_bytes

    @property
    def commit_due(self) -> float:
        """When what came must be committed, on the event loop's clock; infinity if all is."""
        since = self._waiting_since
        patience = self._dependencies.policy.commit_seconds * self.lease.memory.crowd
        return math.inf if since is None else since + patience

    async def replay(self, tail: bytes | None) -> None:
        """Hash and check what earlier streams brought: the chunks that are stored, and the sealed tail."""
        if self.row.chunked_bytes:
            async with self._dependencies.steps.turn():
                await self._replay_chunks()
        if tail is not None:
            self._absorb(open_bytes(self.key, tail, self._tail_aad(self.row)))

    async def take(self, chunk: bytes) -> None:
        """Take the next bytes; what has piled up, or has waited long enough, goes into the store.

        Raises:
            ContentRefused: there are too many, or they cannot belong to a picture.
            LimitReached: too much is held in memory for this person, or for all.
            DomainError: as `commit`.
        """
        if self._received + len(chunk) > self.row.size_bytes:
            raise SizeMismatch.of(self.row.size_bytes)
        await self._make_room(len(chunk))
        if len(chunk) < _THREAD_BYTES:
            self._absorb(chunk)
        else:
            async with self._dependencies.steps.turn():
                await asyncio.to_thread(self._absorb, chunk)
        self._note_received(len(chunk))
        if self._is_much or (self._is_commit_due and not self.is_whole):
            await self.commit()

    def take_at_once(self, chunk: bytes) -> bool:
        """Take the next bytes if there is nothing to wait for, and tell whether that was so."""
        is_expected = self._received + len(chunk) <= self.row.size_bytes
        is_small = len(chunk) < _THREAD_BYTES and self._sealer.held_back_size + len(chunk) <= CHUNK_SIZE
        if not (is_expected and is_small and self.lease.memory.has_room(len(chunk))) or self._is_commit_due:
            return False
        self._absorb(chunk)
        self._note_received(len(chunk))
        self._note_memory()
        return True

    async def commit(self) -> None:
        """Put what came into the store and move the committed offset; what fills no chunk yet is sealed by itself.

        Raises:
            UploadTakenOver: a newer stream writes the upload.
            UploadNotFound: the upload was purged or cancelled.
            DomainError: as `UploadLease.store`.
        """
        if self._received != self.row.committed_bytes:
            async with self._dependencies.steps.turn():
                await self._commit()

    async def _commit(self) -> None:
        await self.lease.store(self._received)
        row = self._as_committed()
        new = await self._put(self._take_sealed()) if row.chunked_bytes > self.row.chunked_bytes else None
        tail = seal_bytes(self.key, self._sealer.held_back, self._tail_aad(row))
        if not await self._dependencies.uploads.commit(row, new, tail=tail):
            await self.take_back(new)
            raise await self.lease.lost()
        if new is not None:  # otherwise the stream's header waits for its first chunk
            self.segments.append(new.segment)
            self._sealed.clear()
        self._waiting_since, self.row = None, row
        self._note_memory()

    def verify(self) -> Picture:
        """Return what the file is, now that all of it is there.

        Raises:
            ContentRefused: it is not what was announced, or no whole picture.
        """
        expected, received = self.announcement.sha256, self._digest.digest()
        if received != expected:
            raise ChecksumMismatch.of(expected=expected, received=received)
        return self._check.finish()

    async def put_last(self) -> NewSegment:
        """Put the end of the stream into the store; it is committed with the media."""
        return await self._put(b"".join((*self._sealed, self._sealer.finish())))

    async def take_back(self, new: NewSegment | None) -> None:
        """Delete an object that was put and will not be committed."""
        if new is not None:
            await self._dependencies.background.run(self._dependencies.objects.delete(BUCKET, [new.segment.object]))

    @property
    def _is_much(self) -> bool:
        return sum(map(len, self._sealed)) >= self._dependencies.policy.segment_bytes

    @property
    def _is_commit_due(self) -> bool:
        return asyncio.get_running_loop().time() >= self.commit_due

    def _note_received(self, size: int) -> None:
        self._received += size
        if self._waiting_since is None:
            self._waiting_since = asyncio.get_running_loop().time()

    def _as_committed(self) -> UploadRow:
        chunked = self._sealer.next_chunk * CHUNK_SIZE
        prefix = self._sealer.prefix if chunked else None
        return replace(self.row, committed_bytes=self._received, chunked_bytes=chunked, seal_prefix=prefix)

    def _tail_aad(self, row: UploadRow) -> bytes:
        return tail_aad(self.data_key_id, row.chunked_bytes)

    async def _make_room(self, size: int) -> None:
        """Wait until the next bytes may be held in memory; what is held already goes into the store before that."""
        memory = self.lease.memory
        if not memory.has_room(size):
            await self.commit()
            await memory.wait_for_room(size)
        self._note_memory(size)

    def _note_memory(self, coming: int = 0) -> None:
        self.lease.memory.set(sum(map(len, self._sealed)) + self._sealer.held_back_size + coming)

    def _take_sealed(self) -> bytes:
        """Return what is sealed as one piece, and keep it so: twice would be too much."""
        self._sealed = [b"".join(self._sealed)]
        return self._sealed[0]

    async def _put(self, sealed: bytes) -> NewSegment:
        segment = Segment(random_name(), len(sealed))
        await self._dependencies.objects.put(BUCKET, segment.object, sealed)
        return NewSegment(segment, position=len(self.segments))

    def _absorb(self, chunk: bytes) -> None:
        self._look_at(chunk)
        sealed = self._sealer.update(chunk)
        if sealed:
            self._sealed.append(sealed)

    def _look_at(self, data: bytes) -> None:
        self._digest.update(data)
        self._check.feed(data)
        self._embedded.feed(data)

    async def _replay_chunks(self) -> None:
        self.segments = await self._dependencies.uploads.segments(self.data_key_id)
        opener = StreamOpener(self.key, self._aad)
        async for piece in self._stored():
            await asyncio.to_thread(self._look_at, opener.update(piece))
        # One byte more tells the opener that the chunk it holds back is not the last of the stream.
        await asyncio.to_thread(self._look_at, opener.update(b"\0"))

    async def _stored(self) -> AsyncIterator[bytes]:
        for segment in self.segments:
            async for piece in self._dependencies.objects.stream(BUCKET, segment.object):
                yield piece
