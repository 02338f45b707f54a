"""What holds over every store of retention about erasures, older media, epochs and records."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.retention import errors
from services.retention.domain import DataKeyScope, Erasure, ErasureState, PurgeCause, StorePurge, SubjectScope
from services.retention.operations import erasing, purging
from tests.contract.retention.ground import ADA, BEN, CLOUD, DAY, LOCATION, OLDER, Ground

MEDIA_SERVICES = ("ingest", "analysis", "suggestion")


class MediaErasures:
    async def test_all_that_derives_from_an_erased_media_is_gone(self, ground: Ground) -> None:
        await ground.grant()
        await ground.grant(purpose=LOCATION)
        media, other = await ground.media(), await ground.media()
        [findings] = await ground.create([media], owner="analysis")
        [place] = await ground.create([media], owner="ingest", purpose=LOCATION)
        [collage] = await ground.create([other, media], owner="suggestion")
        [kept] = await ground.create([other], owner="analysis")
        await ground.erase(media)
        assert await ground.open(findings, collage, kept) == {kept.id: kept.key}
        assert not await ground.can_open(place, purpose=LOCATION)

    async def test_every_service_learns_of_every_key_because_it_may_name_those_of_others(self, ground: Ground) -> None:
        await ground.grant()
        media = uuid4()
        [own] = await ground.create([media], owner="ingest")
        [learnt] = await ground.create([media], owner="analysis")
        erasure = await ground.erase(media)
        for service in MEDIA_SERVICES:
            [order] = await ground.orders(service)
            assert (order.cause, order.erasure) == (PurgeCause.ERASURE, erasure.id)
            assert isinstance(order.scope, DataKeyScope)
            assert set(order.scope.ids) == {own.id, learnt.id}

    async def test_nothing_derives_from_an_erased_media(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        await ground.erase(media)
        with pytest.raises(errors.MediaErased) as refusal:
            await ground.create([uuid4(), media], owner="suggestion")
        assert refusal.value.metadata == {"media": f"media/{media}"}

    async def test_nothing_derives_from_a_media_whose_consent_was_withdrawn_even_after_a_new_one(
        self, ground: Ground
    ) -> None:
        await ground.grant()
        media = await ground.media()
        await ground.withdraw()
        await ground.grant()
        with pytest.raises(errors.MediaErased):
            await ground.create([media], owner="analysis")

    async def test_repeating_an_erasure_returns_the_first(self, ground: Ground) -> None:
        await ground.grant()
        media, request_id = await ground.media(), uuid4()
        first = await ground.erase(media, request_id=request_id)
        assert await ground.erase(media, request_id=request_id) == first
        assert await ground.erase(media) == first
        assert len(await ground.orders("ingest")) == 1

    async def test_a_request_id_belongs_to_one_target(self, ground: Ground) -> None:
        await ground.grant()
        media, other, request_id = await ground.media(), await ground.media(), uuid4()
        await ground.erase(media, request_id=request_id)
        with pytest.raises(errors.RequestIdReused):
            await ground.erase(other, request_id=request_id)
        with pytest.raises(errors.RequestIdReused):
            await ground.erase_everything(request_id=request_id)

    async def test_another_persons_media_does_not_exist(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        with pytest.raises(errors.MediaNotFound):
            await ground.erase(media, subject=BEN)

    async def test_another_persons_lineage_is_out_of_reach(self, ground: Ground) -> None:
        await ground.grant(ADA)
        await ground.grant(BEN)
        media = await ground.media(ADA)
        [foreign] = await ground.create([media], subject=BEN)
        await ground.erase(media, subject=ADA)
        assert await ground.can_open(foreign, subject=BEN)

    async def test_an_erasure_is_purged_when_every_order_is_completed(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        erasure = await ground.erase(media)
        for service in MEDIA_SERVICES:
            assert (await ground.erasure(erasure))[0].state is ErasureState.KEYS_DESTROYED
            [order] = await ground.orders(service)
            await ground.complete(order, media=3)
        found, stores = await ground.erasure(erasure)
        assert (found.state, found.purge_time) == (ErasureState.PURGED, ground.clock.now())
        counts = {store.store: store.purged_count for store in stores}
        assert counts["ingest.table.media"] == 3
        assert counts["ingest.bucket.media"] == 0
        assert all(store.purge_time == ground.clock.now() for store in stores)

    async def test_stores_are_outstanding_until_their_service_reports(self, ground: Ground) -> None:
        await ground.grant()
        erasure = await ground.erase(await ground.media())
        _, stores = await ground.erasure(erasure)
        assert {store.service for store in stores} == set(MEDIA_SERVICES)
        assert all(store.purge_time is None for store in stores)

    async def test_a_repeated_report_counts_once(self, ground: Ground) -> None:
        await ground.grant()
        erasure = await ground.erase(await ground.media())
        [order] = await ground.orders("ingest")
        await ground.complete(order, media=1)
        await ground.complete(order, media=1)
        _, stores = await ground.erasure(erasure)
        assert sum(store.purged_count for store in stores) == 1

    async def test_another_services_order_does_not_exist(self, ground: Ground) -> None:
        await ground.grant()
        await ground.erase(await ground.media())
        [order] = await ground.orders("ingest")
        with pytest.raises(errors.PurgeOrderNotFound):
            await purging.complete_purge_order("analysis", order.id, {}, store=ground.store, clock=ground.clock)

    async def test_another_persons_erasure_does_not_exist(self, ground: Ground) -> None:
        await ground.grant()
        erasure = await ground.erase(await ground.media())
        with pytest.raises(errors.ErasureNotFound):
            await erasing.get_erasure(BEN, erasure.id, store=ground.store, data_map=ground.data_map)

    async def test_erasures_are_listed_newest_first_by_pages(self, ground: Ground) -> None:
        await ground.grant()
        made = [(await ground.erase(await ground.media())).id for _ in range(3)]
        first = await self._page(ground, 2**62)
        assert [erasure.id for _, erasure, _ in first] == [made[2], made[1]]
        second = await self._page(ground, first[-1][0])
        assert [erasure.id for _, erasure, _ in second] == [made[0]]

    async def _page(self, ground: Ground, before: int) -> list[tuple[int, Erasure, list[StorePurge]]]:
        return await erasing.list_erasures(ADA, before=before, limit=2, store=ground.store, data_map=ground.data_map)


class WholeErasures:
    async def test_everything_of_the_person_is_gone_and_nothing_of_others(self, ground: Ground) -> None:
        for subject in (ADA, BEN):
            await ground.grant(subject)
        [own], [foreign] = await ground.create([]), await ground.create([], subject=BEN)
        await ground.erase_everything(ADA)
        assert not await ground.can_open(own)
        assert await ground.can_open(foreign, subject=BEN)

    async def test_every_service_gets_an_order(self, ground: Ground) -> None:
        revision = await ground.grant()
        erasure = await ground.erase_everything()
        for service in ground.data_map.personal_services:
            [order] = await ground.orders(service)
            assert isinstance(order.scope, SubjectScope)
            assert order.scope.revision > revision
            assert order.scope.erase_time == erasure.request_time

    async def test_a_person_of_whom_nothing_is_kept_can_be_erased(self, ground: Ground) -> None:
        erasure = await ground.erase_everything()
        assert erasure.state is ErasureState.KEYS_DESTROYED

    async def test_repeating_it_returns_the_first(self, ground: Ground) -> None:
        request_id = uuid4()
        first = await ground.erase_everything(request_id=request_id)
        assert await ground.erase_everything(request_id=request_id) == first
        assert len(await ground.orders("consent")) == 1

    async def test_it_is_purged_when_all_have_reported_and_our_own_rows_are_gone(self, ground: Ground) -> None:
        await ground.grant()
        await ground.create(*[[]] * 5)
        erasure = await ground.erase_everything()
        for service in ground.data_map.personal_services:
            if service != "retention":
                [order] = await ground.orders(service)
                await ground.complete(order)
        assert (await ground.erasure(erasure))[0].state is ErasureState.KEYS_DESTROYED
        await ground.tick()
        found, stores = await ground.erasure(erasure)
        assert found.state is ErasureState.PURGED
        assert {store.store: store.purged_count for store in stores}["retention.table.data_key"] == 5

    async def test_a_decision_from_before_counts_no_more(self, ground: Ground) -> None:
        decided = ground.clock.now()
        await ground.erase_everything()
        with pytest.raises(errors.SubjectErased):
            await ground.grant(decided=decided, revision=9)

    async def test_a_later_consent_starts_afresh_and_is_spared_by_the_purge(self, ground: Ground) -> None:
        before = await ground.grant(revision=9)
        await ground.erase_everything()
        ground.clock.set(ground.clock.now() + timedelta(seconds=1))
        assert await ground.grant(revision=1) > before
        [key] = await ground.create([])
        await ground.tick()
        assert await ground.can_open(key)

    async def test_nothing_derives_from_what_was_there_before(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        await ground.erase_everything()
        ground.clock.set(ground.clock.now() + timedelta(seconds=1))
        await ground.grant(revision=1)
        with pytest.raises(errors.MediaErased):
            await ground.create([media], owner="analysis")


class OlderMedia:
    async def test_withdrawing_takes_along_what_other_purposes_learnt_from_it(self, ground: Ground) -> None:
        await ground.grant()
        await ground.grant(purpose=OLDER)
        old, new = await ground.media(purpose=OLDER), await ground.media()
        [learnt] = await ground.create([old], owner="analysis")
        [mixed] = await ground.create([new, old], owner="suggestion")
        [kept] = await ground.create([new], owner="analysis")
        await ground.withdraw(ADA, OLDER)
        await ground.tick()
        assert await ground.open(learnt, mixed, kept) == {kept.id: kept.key}

    async def test_a_newer_media_in_a_mixed_lineage_stays(self, ground: Ground) -> None:
        await ground.grant()
        await ground.grant(purpose=OLDER)
        old, new = await ground.media(purpose=OLDER), await ground.media()
        await ground.create([old, new], owner="suggestion", purpose=OLDER)
        [kept] = await ground.create([new], owner="analysis")
        await ground.withdraw(ADA, OLDER)
        await ground.tick()
        assert await ground.can_open(kept)

    async def test_nothing_derives_from_it_any_more(self, ground: Ground) -> None:
        await ground.grant()
        await ground.grant(purpose=OLDER)
        old = await ground.media(purpose=OLDER)
        await ground.withdraw(ADA, OLDER)
        with pytest.raises(errors.MediaErased):
            await ground.create([old], owner="analysis")


class Epochs:
    async def test_keys_open_across_many_days(self, ground: Ground) -> None:
        await ground.grant()
        [key] = await ground.create([])
        for _ in range(20):
            await ground.tick(DAY)
            assert await ground.can_open(key)

    async def test_an_epoch_key_lives_seven_days(self, ground: Ground) -> None:
        first = ground.epochs.newest
        for _ in range(6):
            await ground.tick(DAY)
        assert ground.epochs.has(first)
        await ground.tick(DAY)
        assert not ground.epochs.has(first)

    async def test_keys_survive_a_long_time_without_the_loop(self, ground: Ground) -> None:
        await ground.grant()
        [key] = await ground.create([])
        await ground.tick(20 * DAY)
        assert await ground.can_open(key)

    async def test_old_records_are_forgotten_and_deadlines_still_hold(self, ground: Ground) -> None:
        await ground.grant()
        media = await ground.media()
        erasure = await ground.erase(media)
        [order] = await ground.orders("ingest")
        await ground.complete(order)
        for service in ("analysis", "suggestion"):
            await ground.complete((await ground.orders(service))[0])
        await ground.tick(300 * DAY)
        assert (await ground.erasure(erasure))[0].state is ErasureState.PURGED
        await ground.tick(66 * DAY)
        with pytest.raises(errors.ErasureNotFound):
            await ground.erasure(erasure)

    async def test_purposes_of_all_persons_are_wrapped_anew(self, ground: Ground) -> None:
        for subject in (ADA, BEN):
            for purpose in (CLOUD, LOCATION):
                await ground.grant(subject, purpose)
        await ground.tick(DAY)
        async with ground.store.transaction() as transaction:
            assert await transaction.purposes.outside_epoch(ground.epochs.newest, ("", ""), 10) == []
