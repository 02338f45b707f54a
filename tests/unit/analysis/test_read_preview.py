import io

import pytest
from PIL import Image

from services.analysis.domain.media import PreviewSize, StoredMedia
from services.analysis.errors import MediaNotFound, MediaParked, PreviewNotReady
from services.analysis.operations.read_preview import read_preview
from tests.unit.analysis.harness import ANN, Harness, portrait


async def preview(
    harness: Harness, media: StoredMedia, *, subject: str = ANN, size: PreviewSize = PreviewSize.PREVIEW
) -> bytes:
    return await read_preview(subject, media.media, size, harness.dependencies)


@pytest.mark.parametrize(("size", "pixels"), [(PreviewSize.PREVIEW, (400, 300)), (PreviewSize.THUMBNAIL, (320, 240))])
async def test_previews_can_be_read(harness: Harness, size: PreviewSize, pixels: tuple[int, int]) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in()
    await harness.work()
    image = Image.open(io.BytesIO(await preview(harness, media, size=size)))
    assert (image.size, dict(image.getexif())) == (pixels, {})


async def test_a_media_that_waits_has_no_preview_yet(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    with pytest.raises(PreviewNotReady) as refused:
        await preview(harness, await harness.bring_in(portrait()))
    assert refused.value.retry_after is not None


async def test_a_parked_media_has_none_and_says_why(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in(b"text")
    await harness.work()
    with pytest.raises(MediaParked) as refused:
        await preview(harness, media)
    assert refused.value.metadata == {"media": media.name, "parked_reason": "CORRUPT"}


async def test_a_preview_that_was_swapped_for_another_is_not_shown(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    first, second = await harness.bring_in(portrait(90)), await harness.bring_in(portrait(200))
    await harness.work()
    one, other = (harness.store.previews[each.media, PreviewSize.PREVIEW].object for each in (first, second))
    await harness.objects.put("previews", one, await harness.objects.get("previews", other))
    with pytest.raises(MediaNotFound):
        await preview(harness, first)
