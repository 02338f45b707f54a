"""What holds over every store of retention about erasures, older media, epochs and records."""

from copy import copy
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.retention import errors
from services.retention.domain.erasure import Erasure, ErasureState, StorePurge
from services.retention.domain.keys import OpenKey
from services.retention.domain.orders import DataKeyScope, PurgeCause, SubjectScope
from services.retention.operations.follow_epochs import follow_epochs
from services.retention.operations.purge_orders import complete_purge_order
from services.retention.operations.read_erasures import get_erasure, list_erasures
from tests.contract.retention.harness import ADA, BEN, CLOUD, DAY, LOCATION, OLDER, RetentionHarness

MEDIA_SERVICES = ("ingest", "analysis", "suggestion")


class MediaErasures:
    async def test_all_that_derives_from_an_erased_media_is_gone(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.grant(purpose=LOCATION)
        media, other = await harness.media(), await harness.media()
        [findings] = await harness.create([media], owner="analysis")
        [place] = await harness.create([media], owner="ingest", purpose=LOCATION)
        [collage] = await harness.create([other, media], owner="suggestion")
        [kept] = await harness.create([other], owner="analysis")
        await harness.erase(media)
        assert await harness.open(findings, collage, kept) == {kept.id: kept.key}
        assert not await harness.can_open(place, purpose=LOCATION)

    async def test_every_service_learns_of_every_key_because_it_may_name_those_of_others(
        self, harness: RetentionHarness
    ) -> None:
        await harness.grant()
        media = uuid4()
        [own] = await harness.create([media], owner="ingest")
        [learnt] = await harness.create([media], owner="analysis")
        erasure = await harness.erase(media)
        for service in MEDIA_SERVICES:
            [order] = await harness.orders(service)
            assert (order.cause, order.erasure) == (PurgeCause.ERASURE, erasure.id)
            assert isinstance(order.scope, DataKeyScope)
            assert set(order.scope.ids) == {own.id, learnt.id}

    async def test_nothing_derives_from_an_erased_media(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        await harness.erase(media)
        with pytest.raises(errors.MediaErased) as refusal:
            await harness.create([uuid4(), media], owner="suggestion")
        assert refusal.value.metadata == {"media": f"media/{media}"}

    async def test_nothing_derives_from_a_media_whose_consent_was_withdrawn_even_after_a_new_one(
        self, harness: RetentionHarness
    ) -> None:
        await harness.grant()
        media = await harness.media()
        await harness.withdraw()
        await harness.grant()
        with pytest.raises(errors.MediaErased):
            await harness.create([media], owner="analysis")

    async def test_repeating_an_erasure_returns_the_first(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media, request_id = await harness.media(), uuid4()
        first = await harness.erase(media, request_id=request_id)
        assert await harness.erase(media, request_id=request_id) == first
        assert await harness.erase(media) == first
        assert len(await harness.orders("ingest")) == 1

    async def test_a_request_id_belongs_to_one_target(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media, other, request_id = await harness.media(), await harness.media(), uuid4()
        await harness.erase(media, request_id=request_id)
        with pytest.raises(errors.RequestIdReused):
            await harness.erase(other, request_id=request_id)
        with pytest.raises(errors.RequestIdReused):
            await harness.erase_everything(request_id=request_id)

    async def test_another_persons_media_does_not_exist(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        with pytest.raises(errors.MediaNotFound):
            await harness.erase(media, subject=BEN)

    async def test_another_persons_lineage_is_out_of_reach(self, harness: RetentionHarness) -> None:
        await harness.grant(ADA)
        await harness.grant(BEN)
        media = await harness.media(ADA)
        [foreign] = await harness.create([media], subject=BEN)
        await harness.erase(media, subject=ADA)
        assert await harness.can_open(foreign, subject=BEN)

    async def test_an_erasure_is_purged_when_every_order_is_completed(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        erasure = await harness.erase(media)
        for service in MEDIA_SERVICES:
            assert (await harness.erasure(erasure))[0].state is ErasureState.KEYS_DESTROYED
            [order] = await harness.orders(service)
            await harness.complete(order, media=3)
        found, stores = await harness.erasure(erasure)
        assert (found.state, found.purge_time) == (ErasureState.PURGED, harness.clock.now())
        counts = {store.store: store.purged_count for store in stores}
        assert counts["ingest.table.media"] == 3
        assert counts["ingest.bucket.media"] == 0
        assert all(store.purge_time == harness.clock.now() for store in stores)

    async def test_stores_are_outstanding_until_their_service_reports(self, harness: RetentionHarness) -> None:
        await harness.grant()
        erasure = await harness.erase(await harness.media())
        _, stores = await harness.erasure(erasure)
        assert {store.service for store in stores} == set(MEDIA_SERVICES)
        assert all(store.purge_time is None for store in stores)

    async def test_a_repeated_report_counts_once(self, harness: RetentionHarness) -> None:
        await harness.grant()
        erasure = await harness.erase(await harness.media())
        [order] = await harness.orders("ingest")
        await harness.complete(order, media=1)
        await harness.complete(order, media=1)
        _, stores = await harness.erasure(erasure)
        assert sum(store.purged_count for store in stores) == 1

    async def test_another_services_order_does_not_exist(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.erase(await harness.media())
        [order] = await harness.orders("ingest")
        with pytest.raises(errors.PurgeOrderNotFound):
            await complete_purge_order("analysis", order.id, {}, harness.dependencies)

    async def test_another_persons_erasure_does_not_exist(self, harness: RetentionHarness) -> None:
        await harness.grant()
        erasure = await harness.erase(await harness.media())
        with pytest.raises(errors.ErasureNotFound):
            await get_erasure(BEN, erasure.id, harness.dependencies)

    async def test_erasures_are_listed_newest_first_by_pages(self, harness: RetentionHarness) -> None:
        await harness.grant()
        made = [(await harness.erase(await harness.media())).id for _ in range(3)]
        first = await self._page(harness, 2**62)
        assert [erasure.id for _, erasure, _ in first] == [made[2], made[1]]
        second = await self._page(harness, first[-1][0])
        assert [erasure.id for _, erasure, _ in second] == [made[0]]

    async def _page(self, harness: RetentionHarness, before: int) -> list[tuple[int, Erasure, list[StorePurge]]]:
        return await list_erasures(ADA, before=before, limit=2, dependencies=harness.dependencies)


class WholeErasures:
    async def test_everything_of_the_person_is_gone_and_nothing_of_others(self, harness: RetentionHarness) -> None:
        for subject in (ADA, BEN):
            await harness.grant(subject)
        [own], [foreign] = await harness.create([]), await harness.create([], subject=BEN)
        await harness.erase_everything(ADA)
        assert not await harness.can_open(own)
        assert await harness.can_open(foreign, subject=BEN)

    async def test_every_service_gets_an_order(self, harness: RetentionHarness) -> None:
        revision = await harness.grant()
        erasure = await harness.erase_everything()
        for service in harness.data_map.personal_services:
            [order] = await harness.orders(service)
            assert isinstance(order.scope, SubjectScope)
            assert order.scope.revision > revision
            assert order.scope.erase_time == erasure.request_time

    async def test_a_person_of_whom_nothing_is_kept_can_be_erased(self, harness: RetentionHarness) -> None:
        erasure = await harness.erase_everything()
        assert erasure.state is ErasureState.KEYS_DESTROYED

    async def test_repeating_it_returns_the_first(self, harness: RetentionHarness) -> None:
        request_id = uuid4()
        first = await harness.erase_everything(request_id=request_id)
        assert await harness.erase_everything(request_id=request_id) == first
        assert len(await harness.orders("consent")) == 1

    async def test_it_is_purged_when_all_have_reported_and_our_own_rows_are_gone(
        self, harness: RetentionHarness
    ) -> None:
        await harness.grant()
        await harness.create(*[[]] * 5)
        erasure = await harness.erase_everything()
        for service in harness.data_map.personal_services:
            if service != "retention":
                [order] = await harness.orders(service)
                await harness.complete(order)
        assert (await harness.erasure(erasure))[0].state is ErasureState.KEYS_DESTROYED
        await harness.tick()
        found, stores = await harness.erasure(erasure)
        assert found.state is ErasureState.PURGED
        assert {store.store: store.purged_count for store in stores}["retention.table.data_key"] == 5

    async def test_a_decision_from_before_counts_no_more(self, harness: RetentionHarness) -> None:
        decided = harness.clock.now()
        await harness.erase_everything()
        with pytest.raises(errors.SubjectErased):
            await harness.grant(decided=decided, revision=9)

    async def test_a_later_consent_starts_afresh_and_is_spared_by_the_purge(self, harness: RetentionHarness) -> None:
        before = await harness.grant(revision=9)
        await harness.erase_everything()
        harness.clock.set(harness.clock.now() + timedelta(seconds=1))
        assert await harness.grant(revision=1) > before
        [key] = await harness.create([])
        await harness.tick()
        assert await harness.can_open(key)

    async def test_nothing_derives_from_what_was_there_before(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        await harness.erase_everything()
        harness.clock.set(harness.clock.now() + timedelta(seconds=1))
        await harness.grant(revision=1)
        with pytest.raises(errors.MediaErased):
            await harness.create([media], owner="analysis")


class OlderMedia:
    async def test_withdrawing_takes_along_what_other_purposes_learnt_from_it(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.grant(purpose=OLDER)
        old, new = await harness.media(purpose=OLDER), await harness.media()
        [learnt] = await harness.create([old], owner="analysis")
        [mixed] = await harness.create([new, old], owner="suggestion")
        [kept] = await harness.create([new], owner="analysis")
        await harness.withdraw(ADA, OLDER)
        await harness.tick()
        assert await harness.open(learnt, mixed, kept) == {kept.id: kept.key}

    async def test_a_newer_media_in_a_mixed_lineage_stays(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.grant(purpose=OLDER)
        old, new = await harness.media(purpose=OLDER), await harness.media()
        await harness.create([old, new], owner="suggestion", purpose=OLDER)
        [kept] = await harness.create([new], owner="analysis")
        await harness.withdraw(ADA, OLDER)
        await harness.tick()
        assert await harness.can_open(kept)

    async def test_newer_media_of_which_something_was_learnt_for_it_stay(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.grant(purpose=OLDER)
        new = uuid4()
        [kept] = await harness.create([new])
        await harness.create([new], owner="analysis", purpose=OLDER)
        await harness.withdraw(ADA, OLDER)
        await harness.tick()
        assert await harness.can_open(kept)

    async def test_what_others_learnt_of_older_media_is_gone_when_the_withdrawal_returns(
        self, harness: RetentionHarness
    ) -> None:
        await harness.grant()
        await harness.grant(purpose=OLDER)
        old, new = await harness.media(purpose=OLDER), await harness.media()
        of_old, of_both, of_new = await harness.create([old], [old, new], [new], owner="suggestion")
        await harness.withdraw(ADA, OLDER)
        assert await harness.open(of_old, of_both, of_new) == {of_new.id: of_new.key}
        await harness.withdraw(ADA, OLDER)
        with pytest.raises(errors.MediaErased):
            await harness.create([old])

    async def test_nothing_derives_from_it_any_more(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.grant(purpose=OLDER)
        old = await harness.media(purpose=OLDER)
        await harness.withdraw(ADA, OLDER)
        with pytest.raises(errors.MediaErased):
            await harness.create([old], owner="analysis")


class NarrowedBounds:
    async def test_what_was_taken_before_a_narrowed_bound_is_gone_when_the_call_returns(
        self, harness: RetentionHarness
    ) -> None:
        await self._grant(harness, None)
        [old], [newer] = await self._bring_in(harness, 200), await self._bring_in(harness, 90)
        await self._grant(harness, 100)
        assert await harness.open(old, newer, purpose=OLDER) == {newer.id: newer.key}
        for service in MEDIA_SERVICES:
            [order] = await harness.orders(service)
            assert (order.cause, order.scope) == (PurgeCause.WITHDRAWAL, DataKeyScope((old.id,)))

    async def test_a_bound_that_is_narrowed_again_takes_more(self, harness: RetentionHarness) -> None:
        await self._grant(harness, 300)
        [key] = await self._bring_in(harness, 200)
        await self._grant(harness, 200)
        assert await harness.can_open(key, purpose=OLDER), "taken at the bound is covered"
        await harness.tick(5 * DAY)
        await self._grant(harness, 200)
        assert not await harness.can_open(key, purpose=OLDER), "after it was wrapped anew as well"

    async def test_a_wider_bound_and_the_same_one_leave_everything(self, harness: RetentionHarness) -> None:
        await self._grant(harness, 300)
        [key] = await self._bring_in(harness, 200)
        for bound in (300, 400, None):
            await self._grant(harness, bound)
        assert await harness.can_open(key, purpose=OLDER)
        assert await harness.orders("ingest") == []

    async def test_what_derives_from_it_goes_along_and_nothing_new_does(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await self._grant(harness, None)
        media, new = uuid4(), await harness.media()
        await self._bring_in(harness, 200, media)
        [learnt] = await harness.create([media], owner="analysis")
        [mixed] = await harness.create([new, media], owner="suggestion")
        [kept] = await harness.create([new], owner="analysis")
        await self._grant(harness, 100)
        assert await harness.open(learnt, mixed, kept) == {kept.id: kept.key}
        with pytest.raises(errors.MediaErased):
            await harness.create([media], owner="analysis")

    async def test_media_of_which_it_is_not_known_when_they_were_taken_go_too(self, harness: RetentionHarness) -> None:
        await self._grant(harness, None)
        [unknown] = await harness.create([uuid4()], purpose=OLDER)
        await self._grant(harness, 100)
        assert not await harness.can_open(unknown, purpose=OLDER)

    async def test_newer_media_of_which_something_was_learnt_for_it_stay(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await self._grant(harness, None)
        new = uuid4()
        [kept] = await harness.create([new])
        await harness.create([new], owner="analysis", purpose=OLDER)
        await self._grant(harness, 100)
        assert await harness.can_open(kept)

    async def test_no_media_comes_in_that_was_taken_before_the_bound(self, harness: RetentionHarness) -> None:
        await self._grant(harness, 100)
        with pytest.raises(errors.PurposeNotGranted, match="does not reach back"):
            await self._bring_in(harness, 101)

    async def test_findings_under_the_same_purpose_do_not_hide_when_a_media_was_taken(
        self, harness: RetentionHarness
    ) -> None:
        await self._grant(harness, None)
        media = uuid4()
        [key] = await self._bring_in(harness, 90, media)
        [findings] = await harness.create([media], owner="analysis", purpose=OLDER)
        await self._grant(harness, 100)
        assert await harness.open(key, findings, purpose=OLDER) == {key.id: key.key, findings.id: findings.key}

    async def _grant(self, harness: RetentionHarness, days_back: int | None) -> None:
        bound = None if days_back is None else harness.clock.now() - days_back * DAY
        await harness.grant(purpose=OLDER, reach_back=bound)

    async def _bring_in(self, harness: RetentionHarness, days_ago: int, media: UUID | None = None) -> list[OpenKey]:
        taken = harness.clock.now() - days_ago * DAY
        return await harness.create([media or uuid4()], purpose=OLDER, taken=taken)


class Epochs:
    async def test_keys_open_across_many_days(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        for _ in range(20):
            await harness.tick(DAY)
            assert await harness.can_open(key)

    async def test_an_epoch_key_lives_seven_days(self, harness: RetentionHarness) -> None:
        first = harness.epochs.newest
        for _ in range(6):
            await harness.tick(DAY)
        assert harness.epochs.has(first)
        await harness.tick(DAY)
        assert not harness.epochs.has(first)

    async def test_a_process_that_makes_no_epochs_wraps_under_the_one_that_another_made(
        self, harness: RetentionHarness
    ) -> None:
        other = replace(harness, epochs=copy(harness.epochs))
        await harness.tick(DAY)
        assert other.epochs.newest < harness.epochs.newest
        await follow_epochs(other.dependencies)
        assert other.epochs.newest == harness.epochs.newest
        await other.grant()
        [key] = await other.create([])
        assert await harness.can_open(key)

    async def test_a_process_that_makes_no_epochs_wraps_under_none_that_is_over(
        self, harness: RetentionHarness
    ) -> None:
        other = replace(harness, epochs=copy(harness.epochs))
        harness.clock.set(harness.clock.now() + 8 * DAY)
        with pytest.raises(errors.NoLiveEpoch):
            await follow_epochs(other.dependencies)

    async def test_keys_survive_a_long_time_without_the_loop(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        await harness.tick(20 * DAY)
        assert await harness.can_open(key)

    async def test_old_records_are_forgotten_and_deadlines_still_hold(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media = await harness.media()
        erasure = await harness.erase(media)
        [order] = await harness.orders("ingest")
        await harness.complete(order)
        for service in ("analysis", "suggestion"):
            await harness.complete((await harness.orders(service))[0])
        await harness.tick(300 * DAY)
        assert (await harness.erasure(erasure))[0].state is ErasureState.PURGED
        await harness.tick(66 * DAY)
        with pytest.raises(errors.ErasureNotFound):
            await harness.erasure(erasure)

    async def test_purposes_of_all_persons_are_wrapped_anew(self, harness: RetentionHarness) -> None:
        for subject in (ADA, BEN):
            for purpose in (CLOUD, LOCATION):
                await harness.grant(subject, purpose)
        await harness.tick(DAY)
        async with harness.store.transaction() as transaction:
            assert await transaction.purposes.outside_epoch(harness.epochs.newest, ("", ""), 10) == []
