import io

import pytest
from PIL import Image

from services.suggestion.domain.suggestions import State
from services.suggestion.errors import RenditionNotFound
from tests.unit.suggestion.harness import ALICE, Harness
from tests.unit.suggestion.photos import series


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


async def test_reading_a_rendition_makes_an_idea_seen(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.read(opened)
    assert [each.state for each in await harness.offered()] == [State.SEEN]


async def test_a_rendition_is_a_picture_of_the_size_it_says(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    picture = Image.open(io.BytesIO(await harness.read(opened)))
    assert picture.size == (opened.renditions[0].width, opened.renditions[0].height)
    assert "exif" not in picture.info


async def test_a_picture_whose_key_is_gone_is_not_found(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    await harness.keyring.destroy(subject=ALICE, ids=[str(opened.renditions[0].data_key_id)])
    with pytest.raises(RenditionNotFound):
        await harness.read(opened)
