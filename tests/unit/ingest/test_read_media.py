from uuid import UUID

import pytest

from services.chassis.errors import FieldInvalid
from services.chassis.seal import CHUNK_SIZE
from services.ingest.domain.policy import Policy
from services.ingest.errors import MediaNotFound
from services.ingest.operations.read_media import read_media
from tests.unit.ingest.harness import ALICE, Harness
from tests.unit.ingest.pictures import motion_photo

LARGE = motion_photo(64, 48) + bytes(range(256)) * (3 * CHUNK_SIZE // 256)


async def read(harness: Harness, media_id: UUID, offset: int) -> bytes:
    found = await read_media(harness.dependencies, subject=ALICE, media_id=media_id, offset=offset)
    assert (found.content_type, found.size_bytes) == ("image/jpeg", len(LARGE))
    return b"".join([piece async for piece in found.chunks])


@pytest.mark.parametrize("segment_bytes", [CHUNK_SIZE, 8 * CHUNK_SIZE])
async def test_a_reading_goes_on_from_any_offset(segment_bytes: int) -> None:
    harness = Harness(policy=Policy(segment_bytes=segment_bytes))
    harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
    media_id = await harness.keep(LARGE)
    edges = (0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE, len(LARGE) - 1, len(LARGE))
    assert [offset for offset in edges if await read(harness, media_id, offset) != LARGE[offset:]] == []


async def test_an_offset_behind_the_end_is_refused(harness: Harness) -> None:
    media_id = await harness.keep(LARGE)
    with pytest.raises(FieldInvalid, match=f"from 0 to {len(LARGE)}"):
        await read(harness, media_id, len(LARGE) + 1)


async def test_a_media_that_is_erased_meanwhile_is_read_no_further(harness: Harness) -> None:
    media_id = await harness.keep(LARGE)
    found = await read_media(harness.dependencies, subject=ALICE, media_id=media_id)
    await anext(found.chunks)
    harness.keyring.destroy_media(ALICE, f"media/{media_id}")
    with pytest.raises(MediaNotFound):
        assert [piece async for piece in found.chunks]
