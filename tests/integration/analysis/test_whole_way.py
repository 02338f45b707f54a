"""From a stored media to what its owner sees, on real servers."""

import io
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from pellicule.analysis.v1 import analysis_pb2, analysis_service_pb2
from pellicule.internal.ingest.v1 import media_stored_pb2
from tests.integration.analysis.harness import Harness, Reader
from tests.integration.eventually import eventually
from tests.unit.analysis.photos import LYON, blurred, encode, exif, lying, moved, photo, pixels

pytestmark = pytest.mark.asyncio(loop_scope="session")

DONE = analysis_pb2.ANALYSIS_STATE_DONE
PARKED = analysis_pb2.ANALYSIS_STATE_PARKED
# Where the face is: left, top, right, bottom.
ASTRONAUT = (0.355, 0.114, 0.527, 0.347)
EVERYTHING = ("CLOUD_PROCESSING", "LOCATION", "FACE_GROUPING")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def about(
    seconds: float = 0.0, *, width: int = 512, height: int = 512, screenshot: bool = False
) -> media_stored_pb2.MediaMetadata:
    message = media_stored_pb2.MediaMetadata(
        width=width, height=height, orientation=1, favorite=True, screenshot=screenshot
    )
    message.capture_time.FromDatetime(NOON + timedelta(seconds=seconds))
    message.capture_utc_offset.FromTimedelta(timedelta(hours=2))
    return message


async def finished(reader: Reader, count: int) -> None:
    await eventually(reader.progress, lambda seen: seen[0] == 0 and seen[1] + seen[2] == count)


def face_of(analysis: analysis_pb2.Analysis) -> tuple[float, float, float, float]:
    (face,) = analysis.findings.faces
    return face.box.x, face.box.y, face.box.x + face.box.width, face.box.y + face.box.height


async def test_a_photo_is_analysed(harness: Harness, person: str) -> None:
    await harness.grant(person, *EVERYTHING)
    data = encode(photo("astronaut"), exif=exif(position=LYON))
    stored = await harness.store(person, data, metadata=about())
    reader, suggestion = await harness.as_person(person), await harness.as_suggestion(person)
    await finished(reader, 1)
    (entry,) = await suggestion.library()
    found = entry.analysis
    assert found == await reader.get(stored.media)
    assert (found.state, found.findings.kind) == (DONE, analysis_pb2.MEDIA_KIND_PHOTO)
    assert {"face_detector-1", "face_embedder-1", "exif-1"} <= set(found.models)
    assert found.findings.capture_time.ToDatetime(UTC) == NOON
    assert found.findings.capture_utc_offset.seconds == 7200
    assert found.findings.favorite
    assert found.findings.sharpness > 0.4
    assert found.findings.exposure > 0.8
    assert (found.findings.position.latitude, found.findings.position.longitude) == pytest.approx(LYON, abs=1e-4)
    assert face_of(found) == pytest.approx(ASTRONAUT, abs=0.015)
    assert len(np.frombuffer(entry.scene_embedding, "<f4")) == 1280
    assert len(np.frombuffer(entry.face_templates[0], "<f4")) == 128
    assert len(found.findings.perceptual_hash) == 8


async def test_a_cat_is_tagged_as_one(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, encode(photo("chelsea")), metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    found = await reader.get(stored.media)
    assert "cat" in [tag.name for tag in found.findings.tags]


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_face_boxes_are_right_in_every_orientation(harness: Harness, person: str, orientation: int) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    data = encode(lying(photo("astronaut"), orientation), exif=exif(orientation=orientation))
    stored = await harness.store(person, data, metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    found = await reader.get(stored.media)
    assert face_of(found) == pytest.approx(ASTRONAUT, abs=0.015)
    vision, mouth = found.findings.faces[0].landmarks[:2], found.findings.faces[0].landmarks[3:]
    assert max(eye.y for eye in vision) < min(corner.y for corner in mouth)
    assert vision[0].x < vision[1].x


async def test_previews_are_small_upright_and_silent(harness: Harness, person: str) -> None:
    await harness.grant(person, *EVERYTHING)
    large = photo("astronaut").resize((2560, 1920))
    data = encode(lying(large, 6), exif=exif(orientation=6, position=LYON))
    stored = await harness.store(person, data, metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    sizes = analysis_service_pb2.PREVIEW_SIZE_SCREEN, analysis_service_pb2.PREVIEW_SIZE_THUMBNAIL
    for size, wanted in zip(sizes, [(2048, 1536), (320, 240)], strict=True):
        preview = Image.open(io.BytesIO(await reader.preview(stored.media, size)))
        assert (preview.format, preview.size, dict(preview.getexif())) == ("JPEG", wanted, {})
        expected = np.asarray(large.resize(wanted), int)
        assert np.abs(np.asarray(preview, int) - expected).mean() < 8


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "HEIF", "AVIF"])
async def test_every_format_is_analysed(harness: Harness, person: str, kind: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, encode(photo("astronaut"), kind), metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    assert len((await reader.get(stored.media)).findings.faces) == 1


async def test_bursts_are_grouped_and_scenes_are_not(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    burst = [pixels("coffee"), moved(pixels("coffee"), shift=0.02), moved(pixels("coffee"), zoom=1.04, gain=1.15)]
    burst.append(blurred(burst[0], 0.004))
    names = [
        (await harness.store(person, encode(Image.fromarray(shot)), metadata=about(7 * number))).media
        for number, shot in enumerate(burst)
    ]
    for number, name in enumerate(["chelsea", "rocket", "astronaut"]):
        await harness.store(person, encode(photo(name)), metadata=about(30 + number))
    reader = await harness.as_person(person)
    await finished(reader, 7)
    listed = await reader.everything(page_size=2)
    assert [each.findings.duplicate_group for each in listed] == [names[0]] * 4 + [""] * 3
    assert [each.media for each in listed[:4]] == names
    assert listed[3].findings.sharpness < 0.5 * listed[0].findings.sharpness


async def test_what_the_phone_calls_a_screenshot_is_one(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, encode(photo("coffee")), metadata=about(screenshot=True))
    reader = await harness.as_person(person)
    await finished(reader, 1)
    assert (await reader.get(stored.media)).findings.kind == analysis_pb2.MEDIA_KIND_SCREENSHOT


BROKEN = {
    "truncated": (encode(photo("chelsea"))[:-2000], analysis_pb2.PARKED_REASON_CORRUPT),
    "text": (b"this is a text, whatever its name says", analysis_pb2.PARKED_REASON_CORRUPT),
    "empty": (b"", analysis_pb2.PARKED_REASON_CORRUPT),
    "altered": (encode(photo("chelsea"))[:9000] + b"\xff\xc1" * 50 + encode(photo("chelsea"))[9100:],
                analysis_pb2.PARKED_REASON_CORRUPT),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
async def test_what_cannot_be_decoded_is_parked_and_stays_erasable(harness: Harness, person: str, what: str) -> None:
    data, reason = BROKEN[what]
    await harness.grant(person, *EVERYTHING)
    broken = await harness.store(person, data, metadata=about())
    whole = await harness.store(person, encode(photo("chelsea")), metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 2)
    listed = await reader.everything()
    assert [each.media for each in listed] == [whole.media, broken.media]
    assert (listed[1].state, listed[1].parked_reason, listed[1].HasField("findings")) == (PARKED, reason, False)
    assert "intact copy" in listed[1].parked_detail
    await harness.erase(person, broken.media)
    await eventually(reader.progress, lambda seen: seen == (0, 1, 0))


async def test_a_sealed_object_that_was_tampered_with_is_parked(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, encode(photo("chelsea")), metadata=about(), tamper=True)
    reader = await harness.as_person(person)
    await finished(reader, 1)
    assert (await reader.get(stored.media)).parked_reason == analysis_pb2.PARKED_REASON_OBJECT_BROKEN


async def test_a_media_announced_twice_is_analysed_once(harness: Harness, person: str) -> None:
    await harness.grant(person, "CLOUD_PROCESSING")
    stored = await harness.store(person, encode(photo("chelsea")), metadata=about())
    reader = await harness.as_person(person)
    await finished(reader, 1)
    before = (await reader.get(stored.media)).analyze_time
    for _ in range(3):
        await harness.announce(stored)
    other = await harness.store(person, encode(photo("coffee")), metadata=about(9))
    await finished(reader, 2)
    assert (await reader.get(stored.media)).analyze_time == before
    assert len(await reader.everything()) == len({stored.media, other.media})
