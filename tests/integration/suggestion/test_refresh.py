"""Suggestions come: asked for and by themselves, as sealed objects that their owner can look at."""

import io
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from PIL import Image

from pellicule.analysis.v1 import analysis_pb2
from pellicule.suggestion.v1 import suggestion_pb2
from tests.integration.eventually import eventually
from tests.integration.suggestion.analysis_stand_in import entry_of
from tests.integration.suggestion.harness import TAKEN, Harness
from tests.integration.suggestion.person import Person, answered, failure

pytestmark = pytest.mark.asyncio(loop_scope="session")
LYON = analysis_pb2.Position(latitude=45.76, longitude=4.84)
NAPLES = analysis_pb2.Position(latitude=40.85, longitude=14.27)
DAY = timedelta(days=1)


async def travel(harness: Harness, person: Person) -> None:
    """Five days at home, and three days far away."""
    for number in range(5):
        await harness.photo(person, entry_of(number, TAKEN - (20 - number) * DAY, position=LYON))
    for number in range(12):
        await harness.photo(person, entry_of(20 + number, TAKEN - 9 * DAY + number * DAY / 4, position=NAPLES))


async def test_a_moment_becomes_a_collage_of_all_its_photos(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada)
    assert await ada.refresh() == 1
    (suggestion,) = await ada.offered()
    assert suggestion.kind == suggestion_pb2.SUGGESTION_KIND_COLLAGE
    assert suggestion.state == suggestion_pb2.SUGGESTION_STATE_READY
    assert set(suggestion.media) == set(media)
    assert len({rendition.layout for rendition in suggestion.renditions}) == 3


async def test_a_roll_of_many_pages_is_read_whole(harness: Harness, ada: Person) -> None:
    for day in range(5):
        await harness.photos(ada, start=TAKEN + day * DAY)
    assert await ada.refresh() == 5
    assert await ada.refresh() == 0


async def test_a_rendition_streams_as_the_picture_it_says(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    await ada.refresh()
    (suggestion,) = await ada.offered()
    for rendition in suggestion.renditions:
        chunks = await ada.read(rendition.name)
        assert all(0 < len(chunk) <= 1 << 20 for chunk in chunks)
        content = b"".join(chunks)
        assert len(content) == rendition.size_bytes
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            assert (picture.format, picture.size) == ("JPEG", (rendition.width, rendition.height))
            assert max(picture.size) >= 1440


async def test_looking_at_a_suggestion_makes_it_seen(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    await ada.refresh()
    (suggestion,) = await ada.offered()
    await ada.read(suggestion.renditions[0].name)
    assert (await ada.get(suggestion.name)).state == suggestion_pb2.SUGGESTION_STATE_SEEN


async def test_objects_and_rows_are_sealed(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada)
    await ada.refresh()
    names = await harness.objects_of(ada)
    assert len(names) == 3
    for name in names:
        content = await harness.renditions.get("renditions", name)
        assert b"JFIF" not in content
        assert ada.subject not in name
    ((row,),) = await harness.rows("SELECT row_to_json(s)::text FROM suggestion s WHERE subject = %s", ada.subject)
    assert not [name for name in media if name.removeprefix("media/") in str(row)]


async def test_suggestions_come_by_themselves_once_photos_stop_coming(harness: Harness, ada: Person) -> None:
    for media in await harness.photos(ada):
        await harness.announce(ada, media)

    async def offered() -> bool:
        return len(await ada.offered()) == 1

    await eventually(offered)


async def test_photos_understood_while_analysis_is_down_become_suggestions_afterwards(
    harness: Harness, ada: Person
) -> None:
    (*_, last) = await harness.photos(ada)
    await harness.analysis.stop()
    try:
        await harness.announce(ada, last)

        async def is_due() -> bool:
            return bool(await harness.rows("SELECT 1 FROM due WHERE subject = %s", ada.subject))

        await eventually(is_due)
        assert await ada.offered() == []
    finally:
        await harness.analysis.start()

    async def offered() -> bool:
        return len(await ada.offered()) == 1

    await eventually(offered)


async def test_analysis_down_is_said_and_nothing_is_half_made(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    before = await harness.objects()
    await harness.analysis.stop()
    try:
        assert await failure(ada.refresh()) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    finally:
        await harness.analysis.start()
    assert await ada.offered() == []
    assert await harness.objects() == before

    async def made() -> bool:
        return await answered(ada.refresh()) == 1

    await eventually(made)


async def test_pictures_that_stop_coming_leave_whole_suggestions_alone(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    await harness.photos(ada, start=TAKEN + DAY)
    before = await harness.objects()
    sent = 0

    def fail_later() -> None:
        nonlocal sent
        sent += 1
        if sent > 7:
            raise ConnectionError

    harness.analysis.before_preview = fail_later
    try:
        status, _ = await failure(ada.refresh())
    finally:
        harness.analysis.before_preview = lambda: None
    assert status is grpc.StatusCode.INTERNAL
    (suggestion,) = await ada.offered()
    assert len(suggestion.renditions) == 3
    assert await harness.objects() - before == set(await harness.objects_of(ada))
    assert await ada.refresh() == 1


async def test_a_photo_erased_between_two_pages_begins_the_listing_again(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada, 12)
    erased: list[str] = []

    def erase_once() -> None:
        if not erased:
            erased.append(media[6])
            harness.analysis.forget(ada.subject, media[6])

    harness.analysis.after_page = erase_once
    try:
        assert await ada.refresh() == 1
    finally:
        harness.analysis.after_page = lambda: None
    (suggestion,) = await ada.offered()
    assert media[6] not in suggestion.media


async def test_a_photo_that_goes_while_it_is_drawn_makes_no_suggestion(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada)

    def go() -> None:
        harness.analysis.before_preview = lambda: None
        harness.analysis.forget(ada.subject, media[-1])

    harness.analysis.before_preview = go
    assert await ada.refresh() == 0
    assert await ada.refresh() == 1


async def test_without_consent_there_is_a_reason_and_no_suggestion(harness: Harness) -> None:
    person = await harness.person("LOCATION")
    harness.analysis.refused.add(person.subject)
    refusal = (grpc.StatusCode.FAILED_PRECONDITION, "PURPOSE_NOT_GRANTED")
    assert await failure(person.refresh()) == refusal
    assert await failure(person.list()) == refusal
    async with person.watching() as watch:
        assert await failure(watch.next()) == refusal


async def test_suggestions_outlive_the_process(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    await ada.refresh()
    (before,) = await ada.offered()
    await harness.suggestion.kill()
    await harness.suggestion.start()

    async def there() -> bool:
        return [suggestion.name for suggestion in await answered(ada.offered()) or ()] == [before.name]

    await eventually(there)
    assert await ada.read(before.renditions[0].name)


async def test_a_suggestion_goes_with_the_first_of_its_photos(harness: Harness, ada: Person) -> None:
    photos = [entry_of(number, TAKEN + timedelta(minutes=5 * number)) for number in range(4)]
    for number, entry in enumerate(photos):
        entry.analysis.delete_time.FromDatetime(datetime.now(UTC) + timedelta(days=6 - number))
        await harness.photo(ada, entry)
    await ada.refresh()
    (suggestion,) = await ada.offered()
    assert suggestion.delete_time == photos[-1].analysis.delete_time


async def test_a_trip_is_offered_under_location(harness: Harness, ada: Person) -> None:
    await travel(harness, ada)
    await ada.refresh()
    assert "trip" in {suggestion.theme for suggestion in await ada.offered()}


async def test_a_trip_goes_with_location_and_other_suggestions_stay(harness: Harness, ada: Person) -> None:
    await travel(harness, ada)
    await harness.photos(ada)
    await ada.refresh()
    await harness.withdraw(ada, "LOCATION")
    left = await ada.offered()
    assert left
    assert "trip" not in {suggestion.theme for suggestion in left}

    async def deleted() -> bool:
        query = "SELECT 1 FROM suggestion WHERE subject = %s AND purpose = 'LOCATION'"
        return not await harness.rows(query, ada.subject)

    await eventually(deleted)
