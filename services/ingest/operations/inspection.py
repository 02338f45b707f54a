"""Inspection of what is kept: whether the store still has what the rows name, a page at a time."""

import asyncio
from collections import Counter
from uuid import UUID

import structlog

from services.chassis.clock import Clock
from services.chassis.errors import DependencyUnavailable
from services.chassis.object_store import ObjectMissing, ObjectStore
from services.ingest.domain.media import BUCKET
from services.ingest.domain.records import KeptStream, Segment
from services.ingest.ports.missing import MissingMedia

_PAGE = 500
_DOUBTS = 3
"""Looks in a row in which the store gave an error for one media, and answered for others."""
_FIRST = UUID(int=0)

_log = structlog.stdlib.get_logger()


class Inspection:
    """Looks at the end of every object that is named, and so finds what a power cut or a broken disk took.

    What is absent is marked, so that its owner is asked for it again; what has come back is unmarked.
    """

    def __init__(self, missing: MissingMedia, objects: ObjectStore, clock: Clock) -> None:
        self._missing = missing
        self._objects = objects
        self._clock = clock
        self._after = _FIRST
        self._doubts: Counter[UUID] = Counter()

    async def step(self) -> bool:
        """Look at the next page; return whether it was the last one.

        Raises:
            DependencyUnavailable: the store does not answer; the page comes again.
        """
        page = await self._missing.streams(self._after, _PAGE)
        answers = [await self._is_there(stream) for stream in page]
        if page and all(answer is None for answer in answers):
            raise DependencyUnavailable.of("object-store")
        found = [await self._note(stream, answer) for stream, answer in zip(page, answers, strict=True)]
        if any(found):
            _log.error("media_missing", count=sum(found))
        is_last = len(page) < _PAGE
        self._after = _FIRST if is_last else page[-1].id
        return is_last

    async def _is_there(self, stream: KeptStream) -> bool | None:
        """Tell whether all of it can be read; None if the store gives no answer."""
        try:
            ends = await asyncio.gather(*map(self._has_end, stream.segments))
        except DependencyUnavailable:
            return None
        return bool(ends) and all(ends)

    async def _has_end(self, segment: Segment) -> bool:
        try:
            last = self._objects.stream(BUCKET, segment.object, segment.size_bytes - 1, 1)
            return len(b"".join([piece async for piece in last])) == 1
        except ObjectMissing:
            return False

    async def _note(self, stream: KeptStream, answer: bool | None) -> bool:
        """Mark or unmark what was looked at; return whether it was found missing now."""
        if answer:
            self._doubts.pop(stream.data_key_id, None)
            if stream.missing:
                await self._missing.unmark(stream, opened=False)
            return False
        if answer is None:
            self._doubts[stream.data_key_id] += 1
            if self._doubts[stream.data_key_id] < _DOUBTS:
                return False
        self._doubts.pop(stream.data_key_id, None)
        return await self._missing.mark(stream, self._clock.now(), broken=False)
