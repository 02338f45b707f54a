"""What is erased or withdrawn goes: at once for its owner, and soon from every table and bucket."""

import asyncio

import grpc
import pytest

from tests.integration.eventually import eventually
from tests.integration.suggestion.harness import TAKEN, Harness
from tests.integration.suggestion.person import Person, failure
from tests.integration.suggestion.test_refresh import DAY

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOT_FOUND = (grpc.StatusCode.NOT_FOUND, "SUGGESTION_NOT_FOUND")
NOT_GRANTED = (grpc.StatusCode.FAILED_PRECONDITION, "PURPOSE_NOT_GRANTED")


async def purged(harness: Harness, person: Person, suggestion: str, names: set[str]) -> None:
    """Return once the suggestion's rows and these objects are gone."""

    async def gone() -> bool:
        rows = await harness.rows("SELECT 1 FROM suggestion WHERE id = %s", suggestion.removeprefix("suggestions/"))
        return not rows and not names & await harness.objects()

    await eventually(gone)


async def test_erasing_a_media_hides_its_suggestion_at_once_and_purges_it(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada)
    await ada.refresh()
    (suggestion,) = await ada.offered()
    names = set(await harness.objects_of(ada))
    await harness.erase(ada, media[0])
    assert suggestion.name not in [each.name for each in await ada.offered()]
    assert await failure(ada.get(suggestion.name)) == NOT_FOUND
    assert await failure(ada.read(suggestion.renditions[0].name)) == NOT_FOUND
    assert await failure(ada.save(suggestion.name)) == NOT_FOUND
    await purged(harness, ada, suggestion.name, names)


async def test_the_photos_that_are_left_give_another_suggestion_by_themselves(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada)
    await ada.refresh()
    await harness.erase(ada, media[0])

    async def offered() -> bool:
        return [set(suggestion.media) for suggestion in await ada.offered()] == [set(media[1:])]

    await eventually(offered)


async def test_erasing_one_media_leaves_the_suggestions_of_others_alone(
    harness: Harness, ada: Person, ben: Person
) -> None:
    media = await harness.photos(ada)
    await harness.photos(ada, start=TAKEN + DAY)
    await harness.photos(ben)
    await ada.refresh()
    await ben.refresh()
    ((keeps,), (theirs,)) = (
        [suggestion for suggestion in await ada.offered() if media[0] not in suggestion.media],
        await ben.offered(),
    )
    await harness.erase(ada, media[0])
    assert keeps.name in [suggestion.name for suggestion in await ada.offered()]
    assert [suggestion.name for suggestion in await ben.offered()] == [theirs.name]
    assert await ben.read(theirs.renditions[0].name)


async def test_a_watch_sees_what_was_erased_go(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada, 3)
    await ada.refresh()
    async with ada.watching() as watch:
        (told,) = await watch.checkpoint()
        suggestion = told.created
        await harness.erase(ada, media[0])
        assert (await watch.next()).deleted == suggestion.name


async def test_withdrawal_takes_every_suggestion(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    await ada.refresh()
    (suggestion,) = await ada.offered()
    names = set(await harness.objects_of(ada))
    await harness.withdraw(ada, "LOCATION", "CLOUD_PROCESSING")
    assert await failure(ada.list()) == NOT_GRANTED
    assert await failure(ada.get(suggestion.name)) == NOT_FOUND
    assert await failure(ada.read(suggestion.renditions[0].name)) == NOT_FOUND
    assert await failure(ada.refresh()) == NOT_GRANTED
    await purged(harness, ada, suggestion.name, names)
    assert await failure(ada.list()) == NOT_GRANTED


async def test_a_watch_ends_when_consent_does(harness: Harness, ada: Person) -> None:
    await harness.photos(ada, 3)
    await ada.refresh()
    async with ada.watching() as watch:
        (told,) = await watch.checkpoint()
        await harness.withdraw(ada, "LOCATION", "CLOUD_PROCESSING")
        assert (await watch.next()).deleted == told.created.name
        assert await failure(watch.next()) == NOT_GRANTED


async def test_what_is_granted_again_begins_anew(harness: Harness, ada: Person) -> None:
    await harness.photos(ada)
    await ada.refresh()
    (suggestion,) = await ada.offered()
    await harness.withdraw(ada, "LOCATION", "CLOUD_PROCESSING")
    await harness.grant(ada, "CLOUD_PROCESSING")
    assert await ada.offered() == []
    assert await failure(ada.get(suggestion.name)) == NOT_FOUND


async def test_withdrawal_while_suggestions_are_being_made_leaves_nothing(harness: Harness, ada: Person) -> None:
    for day in range(3):
        await harness.photos(ada, start=TAKEN + day * DAY)
    before = await harness.objects()
    making = asyncio.create_task(failure(ada.refresh()))

    async def begun() -> bool:
        return bool(await harness.rows("SELECT 1 FROM suggestion WHERE subject = %s", ada.subject))

    await eventually(begun)
    await harness.withdraw(ada, "LOCATION", "CLOUD_PROCESSING")
    assert await making == NOT_GRANTED

    async def nothing_is_left() -> bool:
        rows = await harness.rows("SELECT 1 FROM suggestion WHERE subject = %s", ada.subject)
        return not rows and await harness.objects() <= before

    await eventually(nothing_is_left)


async def test_what_died_with_the_process_is_purged_by_the_next(harness: Harness, ada: Person) -> None:
    media = await harness.photos(ada)
    await ada.refresh()
    (suggestion,) = await ada.offered()
    names = set(await harness.objects_of(ada))
    await harness.suggestion.kill()
    await harness.erase(ada, media[0])
    await harness.suggestion.start()
    await purged(harness, ada, suggestion.name, names)
