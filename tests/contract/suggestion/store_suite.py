"""Suite of the service's tables: the fake passes it here, PostgreSQL in the integration tests."""

from datetime import datetime, timedelta
from uuid import uuid4

from services.suggestion.domain.suggestions import Decision, Standing, State
from services.suggestion.ports import Database, Due, RenditionRow, SuggestionRow
from tests.unit.suggestion.photos import NOON

ALICE, BOB = "a" * 32, "b" * 32


def suggestion(
    subject: str = ALICE, *, revision: int = 3, created: datetime = NOON, purpose: str = "CLOUD_PROCESSING"
) -> SuggestionRow:
    return SuggestionRow(
        id=uuid4(),
        subject=subject,
        state=State.READY.value,
        state_before_dismissal=None,
        purpose=purpose,
        data_key_id=uuid4(),
        purpose_revision=revision,
        sealed=b"sealed",
        create_time=created,
        update_time=created,
        offer_time=created,
        delete_time=created + timedelta(days=20),
    )


def rendition(of: SuggestionRow, number: int) -> RenditionRow:
    return RenditionRow(of.id, number, uuid4(), f"object-{uuid4()}", "hero", "image/jpeg", 1600, 2000, 12345)


class StoreSuite:
    async def test_what_was_written_is_read(self, database: Database) -> None:
        row = suggestion()
        pictures = [rendition(row, 1), rendition(row, 2)]
        async with database.locked(ALICE) as store:
            assert await store.suggestions.add(row)
            for picture in reversed(pictures):
                await store.suggestions.add_rendition(picture)
        async with database.transaction() as store:
            assert await store.suggestions.of_person(ALICE) == [row]
            assert await store.suggestions.find(ALICE, row.id) == row
            assert await store.suggestions.renditions([row.id]) == pictures
            names = [picture.object for picture in pictures]
            assert await store.suggestions.unknown_objects([*names, "stray"]) == {"stray"}

    async def test_nobody_reads_what_is_not_theirs(self, database: Database) -> None:
        row = suggestion()
        async with database.locked(ALICE) as store:
            await store.suggestions.add(row)
        async with database.transaction() as store:
            assert await store.suggestions.of_person(BOB) == []
            assert await store.suggestions.find(BOB, row.id) is None

    async def test_what_is_made_under_the_fence_is_refused(self, database: Database) -> None:
        async with database.locked(ALICE) as store:
            await store.purges.raise_fence(ALICE, "CLOUD_PROCESSING", 3)
            assert not await store.suggestions.add(suggestion(revision=3))
            assert await store.suggestions.add(suggestion(revision=4))
            assert await store.suggestions.add(suggestion(BOB, revision=1))

    async def test_a_fence_holds_for_its_purpose_alone(self, database: Database) -> None:
        async with database.locked(ALICE) as store:
            await store.purges.raise_fence(ALICE, "LOCATION", 3)
            assert not await store.suggestions.add(suggestion(purpose="LOCATION"))
            assert await store.suggestions.add(suggestion())

    async def test_what_is_sealed_under_a_destroyed_key_is_refused(self, database: Database) -> None:
        row = suggestion()
        async with database.locked(ALICE) as store:
            await store.purges.tombstone_keys([str(row.data_key_id), str(uuid4())], NOON)
            await store.purges.tombstone_keys([str(row.data_key_id)], NOON + timedelta(days=1))
            assert not await store.suggestions.add(row)
            assert await store.purges.forget_tombstones(NOON) == 0
            assert await store.purges.forget_tombstones(NOON + timedelta(seconds=1)) == 2
            assert await store.suggestions.add(row)

    async def test_a_fence_never_falls(self, database: Database) -> None:
        async with database.locked(ALICE) as store:
            await store.purges.raise_fence(ALICE, "CLOUD_PROCESSING", 5)
            await store.purges.raise_fence(ALICE, "CLOUD_PROCESSING", 2)
            assert not await store.suggestions.add(suggestion(revision=5))

    async def test_deleting_a_suggestion_takes_its_pictures_along(self, database: Database) -> None:
        row, other = suggestion(), suggestion()
        async with database.locked(ALICE) as store:
            for each in (row, other):
                await store.suggestions.add(each)
                await store.suggestions.add_rendition(rendition(each, 1))
            assert await store.suggestions.delete([row.id]) == 1
            assert await store.suggestions.delete([row.id]) == 0
            assert await store.suggestions.renditions([row.id]) == []
            assert len(await store.suggestions.renditions([other.id])) == 1

    async def test_suggestions_are_found_by_any_of_their_keys(self, database: Database) -> None:
        row = suggestion()
        picture = rendition(row, 1)
        async with database.locked(ALICE) as store:
            await store.suggestions.add(row)
            await store.suggestions.add_rendition(picture)
            assert await store.purges.sealed_under([str(row.data_key_id)]) == [row.id]
            assert await store.purges.sealed_under([str(picture.data_key_id), str(row.data_key_id)]) == [row.id]
            assert await store.purges.sealed_under([str(uuid4())]) == []

    async def test_suggestions_are_found_by_the_revision_that_made_them(self, database: Database) -> None:
        old, new = suggestion(revision=3), suggestion(revision=4)
        placed = suggestion(revision=2, purpose="LOCATION")
        async with database.locked(ALICE) as store:
            for each in (old, new, placed, suggestion(BOB, revision=1)):
                await store.suggestions.add(each)
            assert await store.purges.made_under(ALICE, ["CLOUD_PROCESSING"], 3) == [old.id]
            assert await store.purges.made_under(ALICE, ["LOCATION"], 3) == [placed.id]
            assert set(await store.purges.made_under(ALICE, ["LOCATION", "CLOUD_PROCESSING"], 3)) == {old.id, placed.id}

    async def test_only_offered_suggestions_expire(self, database: Database) -> None:
        old, saved, fresh = suggestion(), suggestion(), suggestion(created=NOON + timedelta(days=10))
        async with database.locked(ALICE) as store:
            for each in (old, saved, fresh):
                await store.suggestions.add(each)
            await store.suggestions.move(saved.id, Standing(State.SAVED), NOON)
            expired = await store.suggestions.expire(NOON + timedelta(days=5), NOON + timedelta(days=19))
            assert expired == [(ALICE, old.id)]
            states = {row.id: row.state for row in await store.suggestions.of_person(ALICE)}
        assert states == {old.id: "EXPIRED", saved.id: "SAVED", fresh.id: "READY"}

    async def test_what_is_offered_again_counts_its_time_from_then(self, database: Database) -> None:
        row = suggestion()
        async with database.locked(ALICE) as store:
            await store.suggestions.add(row)
            await store.suggestions.offer_again(row.id, NOON + timedelta(days=6))
            assert await store.suggestions.expire(NOON + timedelta(days=5), NOON + timedelta(days=19)) == []

    async def test_a_dismissed_one_keeps_where_it_stood(self, database: Database) -> None:
        row = suggestion()
        async with database.locked(ALICE) as store:
            await store.suggestions.add(row)
            await store.suggestions.move(row.id, Standing(State.DISMISSED, State.SEEN), NOON)
            dismissed = await store.suggestions.find(ALICE, row.id)
            await store.suggestions.move(row.id, Standing(State.SEEN), NOON)
            restored = await store.suggestions.find(ALICE, row.id)
        assert dismissed is not None
        assert restored is not None
        assert dismissed.standing == Standing(State.DISMISSED, State.SEEN)
        assert restored.standing == Standing(State.SEEN)

    async def test_a_request_is_remembered_once(self, database: Database) -> None:
        request_id, first, second = uuid4(), uuid4(), uuid4()
        async with database.locked(ALICE) as store:
            await store.decisions.add(ALICE, request_id, first, Decision.SAVE, NOON)
            await store.decisions.add(ALICE, request_id, second, Decision.DISMISS, NOON)
            found = await store.decisions.find(ALICE, request_id)
            assert found is not None
            assert (found.suggestion_id, found.decision) == (first, "save")
            assert await store.decisions.find(BOB, request_id) is None
            assert await store.decisions.delete(ALICE, NOON - timedelta(seconds=1)) == 0
            assert await store.decisions.delete(ALICE, NOON) == 1

    async def test_old_requests_are_forgotten(self, database: Database) -> None:
        async with database.locked(ALICE) as store:
            await store.decisions.add(ALICE, uuid4(), uuid4(), Decision.SAVE, NOON)
            assert await store.decisions.forget(NOON) == 0
            assert await store.decisions.forget(NOON + timedelta(seconds=1)) == 1

    async def test_a_person_is_due_once_it_is_quiet_or_patience_ends(self, database: Database) -> None:
        quiet, patience = timedelta(seconds=3), timedelta(seconds=60)
        async with database.transaction() as store:
            await store.refreshes.mark_due(ALICE, NOON)
            assert await store.refreshes.due(NOON + timedelta(seconds=2), quiet, patience) == []
            assert await store.refreshes.due(NOON + timedelta(seconds=3), quiet, patience) == [Due(ALICE)]
            await store.refreshes.mark_due(ALICE, NOON + timedelta(seconds=60))
            assert await store.refreshes.due(NOON + timedelta(seconds=61), quiet, patience) == [Due(ALICE)]

    async def test_who_became_due_again_meanwhile_stays_due(self, database: Database) -> None:
        async with database.transaction() as store:
            await store.refreshes.mark_due(ALICE, NOON + timedelta(seconds=5))
            await store.refreshes.done(ALICE, NOON)
            assert await store.refreshes.due(NOON + timedelta(minutes=1), timedelta(0), timedelta(0)) == [Due(ALICE)]
            await store.refreshes.done(ALICE, NOON + timedelta(seconds=5))
            assert await store.refreshes.delete(ALICE) == 0

    async def test_who_waits_has_waited_since_the_earliest_upload(self, database: Database) -> None:
        minute, at_once = timedelta(minutes=1), timedelta(0)
        async with database.transaction() as store:
            for upload_time in (None, NOON + minute, NOON, None):
                await store.refreshes.mark_due(ALICE, NOON + 3 * minute, upload_time)
            assert await store.refreshes.due(NOON + 3 * minute, at_once, at_once) == [Due(ALICE, NOON)]
            await store.refreshes.done(ALICE, NOON + 2 * minute)
            assert await store.refreshes.due(NOON + 3 * minute, at_once, at_once) == [Due(ALICE, NOON + 2 * minute)]

    async def test_an_event_has_its_effect_once(self, database: Database) -> None:
        async with database.transaction() as store:
            assert await store.first_time("consumer", "event")
            assert not await store.first_time("consumer", "event")
            assert await store.first_time("other", "event")
