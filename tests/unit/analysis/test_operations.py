import io
from uuid import uuid4

import pytest
from PIL import Image

from services.analysis import operations
from services.analysis.domain import MediaState, PreviewSize, Purpose, StoredMedia
from services.analysis.errors import MediaNotFound, MediaParked, PreviewNotReady
from services.analysis.findings import Analysis
from services.keyring import PurposeNotGranted
from tests.unit.analysis.world import ANN, BOB, EVERYTHING, World, portrait


async def preview(
    world: World, media: StoredMedia, *, subject: str = ANN, size: PreviewSize = PreviewSize.PREVIEW
) -> bytes:
    return await operations.read_preview(
        subject,
        media.media,
        size,
        library=world.store,
        keyring=world.keyring,
        objects=world.objects,
        bucket="previews",
    )


async def get(world: World, media: StoredMedia, *, subject: str = ANN) -> Analysis:
    return await operations.get_analysis(subject, media.media, library=world.store, keyring=world.keyring)


async def test_done_come_first_then_those_that_wait_then_those_that_are_parked(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    broken = await world.bring_in(b"text")
    whole = await world.bring_in()
    await world.work()
    waiting = await world.bring_in()
    assert [(each.media, each.state) for each in await world.known()] == [
        (whole.media, MediaState.DONE),
        (waiting.media, MediaState.PENDING),
        (broken.media, MediaState.PARKED),
    ]


async def test_the_same_picture_twice_is_a_group(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = [await world.bring_in() for _ in range(2)]
    await world.work()
    leader = min(str(each.media) for each in media)
    assert {str(each.duplicate_group) for each in await world.known()} == {leader}
    assert str((await get(world, media[0])).duplicate_group) == leader


async def test_findings_stay_while_more_is_due(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    await world.bring_in()
    await world.work()
    await world.store.want_purpose(ANN, Purpose.LOCATION, world.clock.now())
    found = await world.only()
    assert (found.state, found.seen is None) == (MediaState.PENDING, False)


async def test_a_list_needs_consent(world: World) -> None:
    with pytest.raises(PurposeNotGranted):
        await world.known()


async def test_what_was_erased_is_gone_before_its_rows_are(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    media = await world.bring_in()
    waiting = await world.bring_in()
    await world.store.claim(limit=1, now=world.clock.now(), until=world.clock.now())
    await world.work()
    for each in (media, waiting):
        world.keyring.destroy_media(ANN, each.name)
        with pytest.raises(MediaNotFound):
            await get(world, each)
        with pytest.raises(MediaNotFound):
            await preview(world, each)
    assert await world.known() == []


async def test_what_was_withdrawn_is_gone_before_its_rows_are(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    media = await world.bring_in()
    await world.work()
    world.keyring.destroy_purpose(ANN, "LOCATION")
    assert ((await world.only()).place, "exif-1" in (await world.only()).models) == (None, False)
    world.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    with pytest.raises(MediaNotFound):
        await get(world, media)
    with pytest.raises(MediaNotFound):
        await preview(world, media)


async def test_nobody_else_sees_that_a_media_exists(world: World) -> None:
    world.keyring.grant(ANN, *EVERYTHING)
    world.keyring.grant(BOB, *EVERYTHING)
    media = await world.bring_in()
    await world.work()
    with pytest.raises(MediaNotFound):
        await get(world, media, subject=BOB)
    with pytest.raises(MediaNotFound):
        await preview(world, media, subject=BOB)


@pytest.mark.parametrize(("size", "pixels"), [(PreviewSize.PREVIEW, (400, 300)), (PreviewSize.THUMBNAIL, (320, 240))])
async def test_previews_can_be_read(world: World, size: PreviewSize, pixels: tuple[int, int]) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await world.bring_in()
    await world.work()
    image = Image.open(io.BytesIO(await preview(world, media, size=size)))
    assert (image.size, dict(image.getexif())) == (pixels, {})


async def test_a_media_that_waits_has_no_preview_yet(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    with pytest.raises(PreviewNotReady) as refused:
        await preview(world, await world.bring_in(portrait()))
    assert refused.value.retry_after is not None


async def test_a_parked_media_has_none_and_says_why(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await world.bring_in(b"text")
    await world.work()
    with pytest.raises(MediaParked) as refused:
        await preview(world, media)
    assert refused.value.metadata == {"media": media.name, "parked_reason": "CORRUPT"}


async def test_a_preview_that_was_swapped_for_another_is_not_shown(world: World) -> None:
    world.keyring.grant(ANN, "CLOUD_PROCESSING")
    first, second = await world.bring_in(portrait(90)), await world.bring_in(portrait(200))
    await world.work()
    one, other = (world.store.previews[each.media, PreviewSize.PREVIEW].object for each in (first, second))
    await world.objects.put("previews", one, await world.objects.get("previews", other))
    with pytest.raises(MediaNotFound):
        await preview(world, first)


async def test_a_media_that_never_was_is_not_found(world: World) -> None:
    with pytest.raises(MediaNotFound) as refused:
        await operations.get_analysis(ANN, uuid4(), library=world.store, keyring=world.keyring)
    assert refused.value.metadata["media"].startswith("media/")
