"""What the service tells of a picture's sides and turns, whatever says it."""

import io

import pytest
from PIL import Image

from services.ingest.operations.find_media import get_media
from services.picture_files.orientation import is_lying
from tests.unit.ingest.harness import ALICE, Harness
from tests.unit.picture_files import turned_files as files

_TURNS_BY_ITSELF = ("HEIC", "AVIF")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("said", files.SAID)
async def test_sides_are_those_of_the_upright_picture(harness: Harness, said: str, orientation: int) -> None:
    media_id = await harness.keep(files.SAID[said](orientation))
    found = (await get_media(harness.dependencies, subject=ALICE, media_id=media_id)).metadata
    left = 1 if said.startswith(_TURNS_BY_ITSELF) else orientation
    assert (found.width, found.height, found.orientation) == (*files.SIZE, left)


def test_the_files_of_these_tests_lie_on_their_sides() -> None:
    for said in ("JPEG XMP", "PNG raw profile exif", "WebP XMP"):
        for orientation in range(1, 9):
            size = Image.open(io.BytesIO(files.SAID[said](orientation))).size
            assert size == (files.SIZE[::-1] if is_lying(orientation) else files.SIZE)
