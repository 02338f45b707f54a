"""Uploads as a state machine: whatever breaks, is withdrawn, erased or runs out, in whatever order."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from services.chassis.errors import DomainError
from services.chassis.seal import CHUNK_SIZE
from services.ingest.domain.media import Announcement
from services.ingest.domain.policy import Policy
from services.ingest.errors import UploadOffsetWrong
from services.ingest.operations.delete_media import delete_media
from services.ingest.operations.list_media import list_media
from services.ingest.operations.read_media import read_media
from services.ingest.operations.receive_upload import receive, start_and_receive
from services.keyring import PurgeCause, Purpose, PurposeScope
from tests.unit.ingest.harness import ALICE, Harness, announce, pieces
from tests.unit.ingest.pictures import motion_photo

FILES = [motion_photo(64, 48) + bytes([number]) * (number * CHUNK_SIZE // 2) for number in range(5)]
FILES.append(motion_photo(64, 48)[:2000] + bytes(CHUNK_SIZE))  # no whole picture
CONTENTS = {hashlib.sha256(content).digest(): content for content in FILES}
FILE = st.integers(0, len(FILES) - 1)
ResultT = TypeVar("ResultT")


class EveryUpload(RuleBasedStateMachine):
    """One person, one phone, a few files, and everything that can happen to them."""

    uploads = Bundle("uploads")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.harness = Harness(policy=Policy(segment_bytes=CHUNK_SIZE))
        self.harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
        self.contents: dict[UUID, bytes] = {}
        self.orders: list[PurposeScope] = []

    def teardown(self) -> None:
        self.loop.close()

    def run(self, work: Coroutine[object, object, ResultT]) -> ResultT:
        return self.loop.run_until_complete(asyncio.wait_for(work, 10))

    def attempt(self, work: Coroutine[object, object, object]) -> None:
        with suppress(DomainError, ConnectionResetError):
            self.run(work)
        self.run(self.harness.dependencies.background.finish())

    @rule(target=uploads, file=FILE)
    def start(self, file: int) -> UUID | None:
        announced = announce(self.harness.now, FILES[file])
        try:
            upload_id = self.run(self.harness.start(announced))
        except DomainError:
            return None
        self.contents[upload_id] = FILES[file]
        return upload_id

    @rule(upload_id=uploads, count=st.integers(0, 3 * CHUNK_SIZE), breaks=st.booleans(), wrong=st.booleans())
    def send(self, upload_id: UUID | None, count: int, breaks: bool, wrong: bool) -> None:
        row = self.harness.tables.uploads.get(upload_id) if upload_id else None
        if row is not None and upload_id is not None:
            start = row.committed_bytes if row.complete_time is None else 0
            content = b"?" * count if wrong else self.contents[upload_id][start : start + count]
            chunks = _stream(content, breaks=breaks)
            self.attempt(
                receive(self.harness.dependencies, subject=ALICE, upload_id=upload_id, offset=start, chunks=chunks)
            )

    @rule(file=FILE, share=st.sampled_from([0.5, 1.0, 1.0]), breaks=st.booleans())
    def send_in_one_go(self, file: int, share: float, breaks: bool) -> None:
        content = FILES[file]
        announced = announce(self.harness.now, content)
        self.attempt(self._one_go(announced, content[: int(len(content) * share)], breaks=breaks))

    async def _one_go(self, announced: Announcement, content: bytes, *, breaks: bool) -> None:
        with suppress(UploadOffsetWrong):
            await start_and_receive(
                self.harness.dependencies,
                subject=ALICE,
                request_id=UUID(announced.asset.client_id),
                announcement=announced,
                chunks=_stream(content, breaks=breaks),
            )

    @rule()
    def delete(self) -> None:
        for media_id in list(self.harness.tables.media)[:1]:
            self.attempt(delete_media(self.harness.dependencies, subject=ALICE, media_id=media_id, request_id=media_id))

    @rule()
    def withdraw(self) -> None:
        revision = self.harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        if revision is not None:
            self.orders.append(PurposeScope(Purpose.CLOUD_PROCESSING, revision))

    @rule()
    def grant(self) -> None:
        self.harness.keyring.grant(ALICE, "CLOUD_PROCESSING")

    @rule()
    def carry_out_orders(self) -> None:
        for scope in self.orders:
            self.run(self.harness.purge(scope, PurgeCause.WITHDRAWAL))
        self.orders.clear()

    @rule(hours=st.sampled_from([1, 25]))
    def let_time_pass(self, hours: int) -> None:
        self.run(self.harness.clock.advance(timedelta(hours=hours)))

    @rule()
    def clear_up(self) -> None:
        self.run(self.harness.sweep.expire_uploads())
        self.run(self.harness.sweep.clear_discards())

    @invariant()
    def every_byte_is_counted_once(self) -> None:
        tables = self.harness.tables
        open_bytes = sum(row.size_bytes for row in tables.uploads.values() if row.complete_time is None)
        kept_bytes = sum(row.size_bytes for row in tables.media.values())
        assert tables.used.get(ALICE, 0) == open_bytes + kept_bytes

    @invariant()
    def every_object_has_a_row(self) -> None:
        assert self.run(self.harness.orphans.run()) == 0
        named = {piece.object for pieces in self.harness.tables.segments.values() for piece in pieces.values()}
        named |= {name for _, objects in self.harness.tables.discards.values() for name in objects}
        assert self.harness.object_names == named

    @invariant()
    def no_stream_is_left(self) -> None:
        assert len(self.harness.dependencies.writers) == 0

    @invariant()
    def what_is_listed_is_whole(self) -> None:
        try:
            media, _ = self.run(list_media(self.harness.dependencies, subject=ALICE, page_size=100, after=None))
        except DomainError:
            assert (ALICE, "CLOUD_PROCESSING") not in self.harness.keyring._granted
            return
        for each in media:
            assert self.run(self._read(each.id)) == CONTENTS[each.metadata.sha256]

    async def _read(self, media_id: UUID) -> bytes:
        found = await read_media(self.harness.dependencies, subject=ALICE, media_id=media_id)
        return b"".join([piece async for piece in found.chunks])


async def _stream(content: bytes, *, breaks: bool) -> AsyncIterator[bytes]:
    for piece in pieces(content):
        yield piece
    if breaks:
        raise ConnectionResetError


TestEveryUpload = EveryUpload.TestCase
TestEveryUpload.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
