from datetime import timedelta

import pytest

from services.ingest.errors import MediaNotFound
from services.ingest.operations.find_media import get_media
from tests.unit.ingest.harness import ALICE, BOB, Harness, listed
from tests.unit.ingest.pictures import picture


async def test_what_does_not_open_is_not_shown(harness: Harness) -> None:
    first, second = await harness.keep(picture(seed=1)), await harness.keep(picture(seed=2))
    harness.keyring.destroy_media(ALICE, f"media/{first}")
    assert await listed(harness) == [second]
    with pytest.raises(MediaNotFound):
        await get_media(harness.dependencies, subject=ALICE, media_id=first)


async def test_older_media_vanish_with_their_purpose(harness: Harness) -> None:
    harness.keyring.grant(ALICE, "OLDER_MEDIA")
    old = await harness.keep(picture(seed=1), capture_time=harness.now - timedelta(days=100))
    new = await harness.keep(picture(seed=2))
    assert set(await listed(harness)) == {old, new}
    harness.keyring.destroy_purpose(ALICE, "OLDER_MEDIA")
    assert await listed(harness) == [new]


async def test_another_persons_media_does_not_exist(harness: Harness) -> None:
    media_id = await harness.keep()
    with pytest.raises(MediaNotFound):
        await get_media(harness.dependencies, subject=BOB, media_id=media_id)
