import io
from datetime import timedelta
from uuid import uuid4

import pytest
from google.rpc import error_details_pb2
from PIL import Image

from services.analysis.domain.media import PreviewSize, StoredMedia
from services.analysis.errors import MediaNotFound, MediaParked, PreviewNotReady
from services.analysis.operations.read_preview import Preview, read_preview, read_previews
from services.analysis.translation import streams
from services.keyring import NewDataKey, Purpose
from tests.unit.analysis.harness import ANN, Harness, portrait


async def preview(
    harness: Harness, media: StoredMedia, *, subject: str = ANN, size: PreviewSize = PreviewSize.SCREEN
) -> bytes:
    return await read_preview(subject, media.media, size, harness.dependencies)


async def lose_previews(harness: Harness, media: StoredMedia) -> None:
    names = [harness.store.previews[media.media, size].object for size in PreviewSize]
    await harness.objects.delete("previews", names)


@pytest.mark.parametrize(("size", "pixels"), [(PreviewSize.SCREEN, (400, 300)), (PreviewSize.THUMBNAIL, (320, 240))])
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


async def test_a_media_that_was_not_heard_of_yet_has_no_preview_yet(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = uuid4()
    key = NewDataKey(harness.clock.now() + timedelta(days=30), (f"media/{media}",))
    await harness.keyring.create(subject=ANN, purpose="CLOUD_PROCESSING", keys=[key])
    with pytest.raises(PreviewNotReady):
        await read_preview(ANN, media, PreviewSize.SCREEN, harness.dependencies)
    harness.keyring.destroy_media(ANN, f"media/{media}")
    with pytest.raises(MediaNotFound):
        await read_preview(ANN, media, PreviewSize.SCREEN, harness.dependencies)


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
    one, other = (harness.store.previews[each.media, PreviewSize.SCREEN].object for each in (first, second))
    await harness.objects.put("previews", one, await harness.objects.get("previews", other))
    with pytest.raises(PreviewNotReady):
        await preview(harness, first)


async def test_a_preview_that_the_store_has_lost_is_made_again(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in()
    await harness.work()
    kept = await preview(harness, media)
    await lose_previews(harness, media)
    with pytest.raises(PreviewNotReady):
        await preview(harness, media)
    await harness.work()
    assert await preview(harness, media) == kept


async def test_a_preview_of_a_media_that_is_erased_meanwhile_is_not_made_again(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = await harness.bring_in()
    await harness.work()
    await lose_previews(harness, media)
    harness.keyring.destroy_media(ANN, media.name)
    with pytest.raises(MediaNotFound):
        await preview(harness, media)


async def test_many_are_read_in_the_order_asked_for_and_one_that_lacks_does_not_end_the_others(
    harness: Harness,
) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING", "OLDER_MEDIA")
    recent, older = await harness.bring_in(), await harness.bring_in(purpose=Purpose.OLDER_MEDIA)
    broken = await harness.bring_in(b"text")
    await harness.work()
    waiting = await harness.bring_in()
    order = [older.media, waiting.media, uuid4(), broken.media, recent.media]
    found = [each async for each in read_previews(ANN, order, PreviewSize.THUMBNAIL, harness.dependencies)]
    assert [each.media for each in found] == order
    assert [None if each.error is None else each.error.reason for each in found] == [
        None,
        "PREVIEW_NOT_READY",
        "MEDIA_NOT_FOUND",
        "MEDIA_PARKED",
        None,
    ]
    assert found[0].content == await preview(harness, older, size=PreviewSize.THUMBNAIL)


async def test_what_is_withdrawn_while_many_are_read_is_not_read(harness: Harness) -> None:
    harness.keyring.grant(ANN, "CLOUD_PROCESSING")
    media = [await harness.bring_in() for _ in range(20)]
    await harness.work()
    reasons = []
    async for each in read_previews(ANN, [row.media for row in media], PreviewSize.SCREEN, harness.dependencies):
        reasons.append(None if each.error is None else each.error.reason)
        harness.keyring.destroy_purpose(ANN, "CLOUD_PROCESSING")
    assert (reasons[0], set(reasons[16:])) == (None, {"MEDIA_NOT_FOUND"})


def test_bytes_follow_their_header_from_an_offset_on() -> None:
    content = bytes(range(256)) * 5000
    header, *rest = streams.preview_stream(content, 7)
    assert (header.header.content_type, header.header.size_bytes, header.header.offset) == (
        "image/jpeg",
        len(content),
        7,
    )
    assert b"".join(message.chunk for message in rest) == content[7:]
    assert max(len(message.chunk) for message in rest) <= 1024 * 1024


def test_an_error_stands_in_its_answer_with_its_reason() -> None:
    media = uuid4()
    (message,) = streams.batch_stream(Preview(media, error=MediaNotFound.of(media)), "analysis.pellicule")
    info = error_details_pb2.ErrorInfo()
    message.error.details[0].Unpack(info)
    assert (message.media, info.reason, info.domain) == (f"media/{media}", "MEDIA_NOT_FOUND", "analysis.pellicule")
