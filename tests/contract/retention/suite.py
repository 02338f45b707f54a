"""What holds over every store of retention: run on the fake by the unit tests, on PostgreSQL by the integration tests.

A class that runs it gives the fixture `ground`.
"""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.chassis.errors import FieldInvalid
from services.retention import errors
from services.retention.domain import DataKeyScope, OpenKey, PurgeCause, PurposeScope
from services.retention.operations import keys
from tests.contract.retention.ground import ADA, BEN, CLOUD, DAY, LOCATION, Ground


class GrantsAndKeys:
    async def test_a_key_that_was_created_can_be_opened(self, ground: Ground) -> None:
        await ground.grant()
        created = await ground.create([], [])
        assert await ground.open(*created) == {key.id: key.key for key in created}

    async def test_a_thousand_keys_come_in_the_order_asked_for_and_all_differ(self, ground: Ground) -> None:
        await ground.grant()
        created = await ground.create(*[[]] * 1000)
        assert len({key.key for key in created}) == 1000
        assert await ground.open(*created) == {key.id: key.key for key in created}

    async def test_without_a_grant_nothing_is_created(self, ground: Ground) -> None:
        with pytest.raises(errors.PurposeNotGranted):
            await ground.create([])

    async def test_without_a_grant_nothing_is_opened(self, ground: Ground) -> None:
        await ground.grant()
        [key] = await ground.create([])
        with pytest.raises(errors.PurposeNotGranted):
            await ground.open(key, purpose=LOCATION)

    async def test_keys_of_another_person_are_left_out(self, ground: Ground) -> None:
        await ground.grant(ADA)
        await ground.grant(BEN)
        [key] = await ground.create([], subject=ADA)
        assert await ground.open(key, subject=BEN) == {}

    async def test_keys_of_another_purpose_are_left_out(self, ground: Ground) -> None:
        await ground.grant()
        await ground.grant(purpose=LOCATION)
        [key] = await ground.create([])
        assert await ground.open(key, purpose=LOCATION) == {}

    async def test_unknown_ids_are_left_out(self, ground: Ground) -> None:
        await ground.grant()
        [key] = await ground.create([])
        assert await ground.open(OpenKey(str(uuid4()), b""), key) == {key.id: key.key}

    async def test_what_holds_for_a_purpose_can_be_asked(self, ground: Ground) -> None:
        bound = ground.clock.now() - 100 * DAY
        revision = await ground.grant(reach_back=bound)
        key = await keys.get_purpose_key(ADA, CLOUD, store=ground.store, clock=ground.clock)
        assert (key.revision, key.reach_back_time) == (revision, bound)

    async def test_a_service_destroys_its_own_keys_alone(self, ground: Ground) -> None:
        await ground.grant()
        [own] = await ground.create([], owner="ingest")
        [other] = await ground.create([], owner="analysis")
        destroyed = await keys.destroy_data_keys(ADA, "ingest", [own.id, other.id], store=ground.store)
        assert destroyed == 1
        assert await ground.open(own, other) == {other.id: other.key}


class Withdrawals:
    async def test_a_withdrawn_purpose_opens_nothing(self, ground: Ground) -> None:
        await ground.grant()
        [key] = await ground.create([])
        await ground.withdraw()
        assert not await ground.can_open(key)

    async def test_a_later_grant_does_not_bring_old_keys_back(self, ground: Ground) -> None:
        first = await ground.grant()
        [key] = await ground.create([])
        await ground.withdraw()
        assert await ground.grant() > first
        assert await ground.open(key) == {}

    async def test_withdrawing_one_purpose_leaves_the_others(self, ground: Ground) -> None:
        await ground.grant()
        await ground.grant(purpose=LOCATION)
        [key] = await ground.create([])
        await ground.withdraw(ADA, LOCATION)
        assert await ground.can_open(key)

    async def test_withdrawing_what_is_not_granted_is_no_error(self, ground: Ground) -> None:
        await ground.withdraw()
        assert await ground.orders("ingest") == []

    async def test_every_service_that_may_keep_something_gets_an_order(self, ground: Ground) -> None:
        revision = await ground.grant()
        await ground.withdraw()
        for service in ("ingest", "analysis", "suggestion"):
            [order] = await ground.orders(service)
            assert (order.subject, order.cause) == (ADA, PurgeCause.WITHDRAWAL)
            assert order.scope == PurposeScope(CLOUD, revision)
        assert await ground.orders("consent") == []

    async def test_the_rows_of_the_data_keys_follow(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        await ground.withdraw()
        await ground.tick()
        with pytest.raises(errors.MediaNotFound):
            await ground.erase(media)
        assert await ground.orders("retention") == []

    async def test_repeating_a_grant_changes_nothing(self, ground: Ground) -> None:
        first = await ground.grant(revision=3)
        [key] = await ground.create([])
        assert await ground.grant(revision=3) == first
        assert await ground.can_open(key)

    async def test_a_later_grant_prolongs_the_key(self, ground: Ground) -> None:
        first = await ground.grant(lasts=DAY)
        [key] = await ground.create([])
        assert await ground.grant(lasts=10 * DAY) == first
        await ground.tick(5 * DAY)
        assert await ground.can_open(key)

    async def test_a_grant_older_than_the_one_that_holds_is_stale(self, ground: Ground) -> None:
        await ground.grant(revision=5)
        with pytest.raises(errors.RevisionStale) as refusal:
            await ground.grant(revision=4)
        assert refusal.value.metadata == {"purpose": CLOUD, "revision": "4", "current": "5"}

    async def test_a_grant_that_its_withdrawal_overtook_is_stale(self, ground: Ground) -> None:
        await ground.withdraw(revision=5)
        with pytest.raises(errors.RevisionStale):
            await ground.grant(revision=4)

    async def test_a_withdrawn_grant_cannot_be_repeated(self, ground: Ground) -> None:
        await ground.grant(revision=3)
        await ground.withdraw(revision=4)
        with pytest.raises(errors.RevisionStale):
            await ground.grant(revision=3)

    async def test_a_withdrawal_leaves_a_later_grant_alone(self, ground: Ground) -> None:
        await ground.grant(revision=7)
        [key] = await ground.create([])
        await ground.withdraw(revision=6)
        assert await ground.can_open(key)

    async def test_a_grant_that_has_ended_already_is_refused(self, ground: Ground) -> None:
        with pytest.raises(FieldInvalid):
            await ground.grant(lasts=timedelta())

    async def test_a_grant_ends_by_itself(self, ground: Ground) -> None:
        await ground.grant(lasts=DAY)
        [key] = await ground.create([])
        ground.clock.set(ground.clock.now() + DAY)
        assert not await ground.can_open(key)

    async def test_an_ended_grant_is_destroyed_like_a_withdrawn_one(self, ground: Ground) -> None:
        revision = await ground.grant(lasts=DAY)
        await ground.create([])
        await ground.tick(DAY)
        [order] = await ground.orders("ingest")
        assert order.scope == PurposeScope(CLOUD, revision)

    async def test_a_grant_after_an_ended_one_makes_a_new_key(self, ground: Ground) -> None:
        first = await ground.grant(lasts=DAY)
        [key] = await ground.create([])
        ground.clock.set(ground.clock.now() + DAY)
        assert await ground.grant() > first
        assert await ground.open(key) == {}
        assert len(await ground.orders("ingest")) == 1


class Deadlines:
    async def test_a_key_opens_until_its_deadline_and_no_longer(self, ground: Ground) -> None:
        await ground.grant()
        [key] = await ground.create([], lasts=DAY)
        ground.clock.set(ground.clock.now() + DAY - timedelta(seconds=1))
        assert await ground.can_open(key)
        ground.clock.set(ground.clock.now() + timedelta(seconds=1))
        assert not await ground.can_open(key)

    async def test_services_are_told_what_is_over(self, ground: Ground) -> None:
        await ground.grant()
        [key] = await ground.create([], lasts=DAY)
        await ground.create([], lasts=2 * DAY)
        await ground.tick(DAY)
        [order] = await ground.orders("ingest")
        assert (order.cause, order.scope) == (PurgeCause.DEADLINE, DataKeyScope((key.id,)))

    async def test_the_loop_knows_when_the_next_key_ends(self, ground: Ground) -> None:
        await ground.grant(lasts=3 * DAY)
        await ground.create([], lasts=2 * DAY)
        async with ground.store.transaction() as transaction:
            assert await transaction.keys.next_time() == ground.clock.now() + 2 * DAY

    @pytest.mark.parametrize("lasts", [timedelta(), 31 * DAY])
    async def test_a_deadline_in_the_past_or_too_far_is_refused(self, ground: Ground, lasts: timedelta) -> None:
        await ground.grant()
        with pytest.raises(errors.DeadlineTooFar) as refusal:
            await ground.create([], lasts=lasts)
        assert refusal.value.metadata["longest_days"] == "30"

    async def test_nothing_outlives_a_media_that_it_derives_from(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media(lasts=2 * DAY)
        [derived] = await ground.create([media, await ground.media()], owner="suggestion", lasts=30 * DAY)
        ground.clock.set(ground.clock.now() + 2 * DAY)
        assert not await ground.can_open(derived)

    async def test_nothing_derives_from_a_media_past_its_end(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media(lasts=2 * DAY)
        await ground.tick(2 * DAY)
        with pytest.raises(errors.MediaErased):
            await ground.create([media], owner="analysis")

    async def test_a_deadline_brought_forward_holds_for_all_that_derives(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        [before] = await ground.create([media], owner="analysis")
        assert await ground.shorten(media, DAY) == 2
        [after] = await ground.create([media], owner="suggestion")
        ground.clock.set(ground.clock.now() + DAY)
        assert await ground.open(before, after) == {}

    async def test_a_deadline_is_never_put_off(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media(lasts=2 * DAY)
        with pytest.raises(errors.DeadlineNotShorter):
            await ground.shorten(media, 3 * DAY)

    async def test_the_same_deadline_again_changes_nothing(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media(lasts=2 * DAY)
        assert await ground.shorten(media, 2 * DAY) == 0

    async def test_only_the_owner_brings_a_deadline_forward(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        with pytest.raises(errors.MediaNotFound):
            await ground.shorten(media, DAY, subject=BEN)
