"""What holds over every store of retention: run on the fake by the unit tests, on PostgreSQL by the integration tests.

A class that runs it gives the fixture `harness`.
"""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.chassis.errors import FieldInvalid
from services.retention import errors
from services.retention.domain.keys import OpenKey
from services.retention.domain.orders import DataKeyScope, PurgeCause, PurposeScope
from services.retention.operations.destroy_data_keys import destroy_data_keys
from services.retention.operations.open_purpose import get_purpose_key
from tests.contract.retention.harness import ADA, BEN, CLOUD, DAY, LOCATION, RetentionHarness


class GrantsAndKeys:
    async def test_a_key_that_was_created_can_be_opened(self, harness: RetentionHarness) -> None:
        await harness.grant()
        created = await harness.create([], [])
        assert await harness.open(*created) == {key.id: key.key for key in created}

    async def test_a_thousand_keys_come_in_the_order_asked_for_and_all_differ(self, harness: RetentionHarness) -> None:
        await harness.grant()
        created = await harness.create(*[[]] * 1000)
        assert len({key.key for key in created}) == 1000
        assert await harness.open(*created) == {key.id: key.key for key in created}

    async def test_without_a_grant_nothing_is_created(self, harness: RetentionHarness) -> None:
        with pytest.raises(errors.PurposeNotGranted):
            await harness.create([])

    async def test_without_a_grant_nothing_is_opened(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        with pytest.raises(errors.PurposeNotGranted):
            await harness.open(key, purpose=LOCATION)

    async def test_keys_of_another_person_are_left_out(self, harness: RetentionHarness) -> None:
        await harness.grant(ADA)
        await harness.grant(BEN)
        [key] = await harness.create([], subject=ADA)
        assert await harness.open(key, subject=BEN) == {}

    async def test_keys_of_another_purpose_are_left_out(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.grant(purpose=LOCATION)
        [key] = await harness.create([])
        assert await harness.open(key, purpose=LOCATION) == {}

    async def test_a_service_opens_its_own_keys_and_analysis_pictures_of_ingest(
        self, harness: RetentionHarness
    ) -> None:
        await harness.grant()
        [picture, index] = await harness.create([uuid4()], [], owner="ingest")
        [findings] = await harness.create([uuid4()], owner="analysis")
        [collage] = await harness.create([uuid4()], owner="suggestion")
        every = (picture, index, findings, collage)
        opened = {
            service: set(await harness.open_as(service, *every))
            for service in ("ingest", "analysis", "suggestion", "consent", "retention")
        }
        assert opened == {
            "ingest": {picture.id, index.id},
            "analysis": {picture.id, findings.id},
            "suggestion": {collage.id},
            "consent": set(),
            "retention": set(),
        }

    async def test_unknown_ids_are_left_out(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        assert await harness.open(OpenKey(str(uuid4()), b""), key) == {key.id: key.key}

    async def test_what_holds_for_a_purpose_can_be_asked(self, harness: RetentionHarness) -> None:
        bound = harness.clock.now() - 100 * DAY
        revision = await harness.grant(reach_back=bound)
        key = await get_purpose_key(ADA, CLOUD, harness.dependencies)
        assert (key.revision, key.reach_back_time) == (revision, bound)

    async def test_a_service_destroys_its_own_keys_alone(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [own] = await harness.create([], owner="ingest")
        [other] = await harness.create([], owner="analysis")
        destroyed = await destroy_data_keys(ADA, "ingest", [own.id, other.id], harness.dependencies)
        assert destroyed == 1
        assert await harness.open(own, other) == {other.id: other.key}


class Withdrawals:
    async def test_a_withdrawn_purpose_opens_nothing(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        await harness.withdraw()
        assert not await harness.can_open(key)

    async def test_a_later_grant_does_not_bring_old_keys_back(self, harness: RetentionHarness) -> None:
        first = await harness.grant()
        [key] = await harness.create([])
        await harness.withdraw()
        assert await harness.grant() > first
        assert await harness.open(key) == {}

    async def test_withdrawing_one_purpose_leaves_the_others(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.grant(purpose=LOCATION)
        [key] = await harness.create([])
        await harness.withdraw(ADA, LOCATION)
        assert await harness.can_open(key)

    async def test_withdrawing_what_is_not_granted_is_no_error(self, harness: RetentionHarness) -> None:
        await harness.withdraw()
        assert await harness.orders("ingest") == []

    async def test_every_service_that_may_keep_something_gets_an_order(self, harness: RetentionHarness) -> None:
        revision = await harness.grant()
        await harness.withdraw()
        for service in ("ingest", "analysis", "suggestion"):
            [order] = await harness.orders(service)
            assert (order.subject, order.cause) == (ADA, PurgeCause.WITHDRAWAL)
            assert order.scope == PurposeScope(CLOUD, revision)
        assert await harness.orders("consent") == []

    async def test_the_rows_of_the_data_keys_follow(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        await harness.withdraw()
        await harness.tick()
        with pytest.raises(errors.MediaNotFound):
            await harness.erase(media)
        assert await harness.orders("retention") == []

    async def test_repeating_a_grant_changes_nothing(self, harness: RetentionHarness) -> None:
        first = await harness.grant(revision=3)
        [key] = await harness.create([])
        assert await harness.grant(revision=3) == first
        assert await harness.can_open(key)

    async def test_a_later_grant_prolongs_the_key(self, harness: RetentionHarness) -> None:
        first = await harness.grant(lasts=DAY)
        [key] = await harness.create([])
        assert await harness.grant(lasts=10 * DAY) == first
        await harness.tick(5 * DAY)
        assert await harness.can_open(key)

    async def test_a_grant_older_than_the_one_that_holds_is_stale(self, harness: RetentionHarness) -> None:
        await harness.grant(revision=5)
        with pytest.raises(errors.RevisionStale) as refusal:
            await harness.grant(revision=4)
        assert refusal.value.metadata == {"purpose": CLOUD, "revision": "4", "current": "5"}

    async def test_a_grant_that_its_withdrawal_overtook_is_stale(self, harness: RetentionHarness) -> None:
        await harness.withdraw(revision=5)
        with pytest.raises(errors.RevisionStale):
            await harness.grant(revision=4)

    async def test_a_withdrawn_grant_cannot_be_repeated(self, harness: RetentionHarness) -> None:
        await harness.grant(revision=3)
        await harness.withdraw(revision=4)
        with pytest.raises(errors.RevisionStale):
            await harness.grant(revision=3)

    async def test_a_withdrawal_leaves_a_later_grant_alone(self, harness: RetentionHarness) -> None:
        await harness.grant(revision=7)
        [key] = await harness.create([])
        await harness.withdraw(revision=6)
        assert await harness.can_open(key)

    async def test_a_grant_that_has_ended_already_is_refused(self, harness: RetentionHarness) -> None:
        with pytest.raises(FieldInvalid):
            await harness.grant(lasts=timedelta())

    async def test_a_grant_ends_by_itself(self, harness: RetentionHarness) -> None:
        await harness.grant(lasts=DAY)
        [key] = await harness.create([])
        harness.clock.set(harness.clock.now() + DAY)
        assert not await harness.can_open(key)

    async def test_an_ended_grant_is_destroyed_like_a_withdrawn_one(self, harness: RetentionHarness) -> None:
        revision = await harness.grant(lasts=DAY)
        await harness.create([])
        await harness.tick(DAY)
        [order] = await harness.orders("ingest")
        assert order.scope == PurposeScope(CLOUD, revision)

    async def test_a_grant_after_an_ended_one_makes_a_new_key(self, harness: RetentionHarness) -> None:
        first = await harness.grant(lasts=DAY)
        [key] = await harness.create([])
        harness.clock.set(harness.clock.now() + DAY)
        assert await harness.grant() > first
        assert await harness.open(key) == {}
        assert len(await harness.orders("ingest")) == 1


class Deadlines:
    async def test_a_key_opens_until_its_deadline_and_no_longer(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([], lasts=DAY)
        harness.clock.set(harness.clock.now() + DAY - timedelta(seconds=1))
        assert await harness.can_open(key)
        harness.clock.set(harness.clock.now() + timedelta(seconds=1))
        assert not await harness.can_open(key)

    async def test_services_are_told_what_is_over(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([], lasts=DAY)
        await harness.create([], lasts=2 * DAY)
        await harness.tick(DAY)
        [order] = await harness.orders("ingest")
        assert (order.cause, order.scope) == (PurgeCause.DEADLINE, DataKeyScope((key.id,)))

    async def test_the_loop_knows_when_the_next_key_ends(self, harness: RetentionHarness) -> None:
        await harness.grant(lasts=3 * DAY)
        await harness.create([], lasts=2 * DAY)
        async with harness.store.transaction() as transaction:
            assert await transaction.keys.next_time() == harness.clock.now() + 2 * DAY

    @pytest.mark.parametrize("lasts", [timedelta(), 31 * DAY])
    async def test_a_deadline_in_the_past_or_too_far_is_refused(
        self, harness: RetentionHarness, lasts: timedelta
    ) -> None:
        await harness.grant()
        with pytest.raises(errors.DeadlineTooFar) as refusal:
            await harness.create([], lasts=lasts)
        assert refusal.value.metadata["longest_days"] == "30"

    async def test_nothing_outlives_a_media_that_it_derives_from(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media(lasts=2 * DAY)
        [derived] = await harness.create([media, await harness.media()], owner="suggestion", lasts=30 * DAY)
        harness.clock.set(harness.clock.now() + 2 * DAY)
        assert not await harness.can_open(derived)

    async def test_nothing_derives_from_a_media_past_its_end(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media(lasts=2 * DAY)
        await harness.tick(2 * DAY)
        with pytest.raises(errors.MediaErased):
            await harness.create([media], owner="analysis")

    async def test_a_deadline_brought_forward_holds_for_all_that_derives(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        [before] = await harness.create([media], owner="analysis")
        assert await harness.shorten(media, DAY) == 2
        [after] = await harness.create([media], owner="suggestion")
        harness.clock.set(harness.clock.now() + DAY)
        assert await harness.open(before, after) == {}

    async def test_a_deadline_is_never_put_off(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media(lasts=2 * DAY)
        with pytest.raises(errors.DeadlineNotShorter):
            await harness.shorten(media, 3 * DAY)

    async def test_the_same_deadline_again_changes_nothing(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media(lasts=2 * DAY)
        assert await harness.shorten(media, 2 * DAY) == 0

    async def test_only_the_owner_brings_a_deadline_forward(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        with pytest.raises(errors.MediaNotFound):
            await harness.shorten(media, DAY, subject=BEN)
