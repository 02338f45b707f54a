import io

import pytest
from PIL import Image

from services.chassis.errors import FieldInvalid
from services.suggestion.domain.suggestions import Decision, State
from services.suggestion.errors import RenditionNotFound
from services.suggestion.operations.open_suggestions import OpenSuggestion
from tests.unit.suggestion.harness import ALICE, Harness
from tests.unit.suggestion.photos import series


@pytest.fixture
def harness() -> Harness:
    made = Harness()
    made.analyze(ALICE, series(5))
    return made


async def test_reading_a_rendition_makes_a_suggestion_seen(harness: Harness) -> None:
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


async def lose_pictures(harness: Harness, opened: OpenSuggestion) -> None:
    await harness.objects.delete("renditions", [row.object for row in opened.renditions])


async def test_a_suggestion_whose_picture_the_store_has_lost_is_made_anew(harness: Harness) -> None:
    await harness.refresh()
    (lost,) = await harness.offered()
    await lose_pictures(harness, lost)
    with pytest.raises(RenditionNotFound):
        await harness.read(lost)
    await harness.refresh()
    (again,) = await harness.offered()
    assert again.row.id != lost.row.id
    assert await harness.read(again)


async def test_a_saved_one_stays_as_it_is(harness: Harness) -> None:
    await harness.refresh()
    (saved,) = await harness.offered()
    await harness.decide(Decision.SAVE, saved.row.id)
    await lose_pictures(harness, saved)
    with pytest.raises(RenditionNotFound):
        await harness.read(saved)
    assert [each.row.id for each in await harness.offered()] == [saved.row.id]


async def test_a_reading_that_broke_goes_on_from_its_offset(harness: Harness) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    whole = await harness.read(opened)
    assert await harness.read(opened, offset=100) == whole[100:]
    assert await harness.read(opened, offset=len(whole)) == b""


@pytest.mark.parametrize("beyond", [-1, 1])
async def test_an_offset_outside_of_the_rendition_is_refused(harness: Harness, beyond: int) -> None:
    await harness.refresh()
    (opened,) = await harness.offered()
    offset = opened.renditions[0].size_bytes + 1 if beyond > 0 else -1
    with pytest.raises(FieldInvalid):
        await harness.read(opened, offset=offset)
