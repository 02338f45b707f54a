"""What holds over every store of retention about deletions of accounts, repeated requests and lost keys."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from services.retention import errors
from services.retention.domain.account import AccountDeletionState
from services.retention.domain.orders import DataKeyScope, PurgeCause, PurposeScope, SubjectScope
from services.retention.epochs.epoch_files import EpochFiles
from services.retention.operations.deadlines import next_wake
from services.retention.operations.delete_account import cancel_account_deletion
from services.retention.operations.open_purpose import get_purpose_key
from services.retention.operations.rotate_epochs import rotate_epochs
from tests.contract.retention.harness import ADA, BEN, CLOUD, DAY, LOCATION, RetentionHarness

SECOND = timedelta(seconds=1)


class AccountDeletions:
    async def test_nothing_happens_before_its_time(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        deletion = await harness.delete_account(delay=7 * DAY)
        await harness.tick(6 * DAY)
        assert await harness.can_open(key)
        assert (await harness.account_deletion(deletion))[0].state is AccountDeletionState.SCHEDULED
        assert await harness.orders("consent") == []

    async def test_it_begins_when_its_time_has_come(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        deletion = await harness.delete_account(delay=7 * DAY)
        assert await next_wake(harness.dependencies) == deletion.start_time
        await harness.tick(7 * DAY)
        assert not await harness.can_open(key)
        found, stores = await harness.account_deletion(deletion)
        assert (found.state, found.keys_destroy_time) == (
            AccountDeletionState.KEYS_DESTROYED,
            harness.clock.now(),
        )
        assert {store.service for store in stores} >= {"consent", "ingest"}

    async def test_without_a_delay_it_has_begun_when_the_call_returns(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        deletion = await harness.delete_account()
        assert deletion.state is AccountDeletionState.KEYS_DESTROYED
        assert not await harness.can_open(key)

    async def test_every_service_is_told_that_the_account_goes(self, harness: RetentionHarness) -> None:
        revision = await harness.grant()
        deletion = await harness.delete_account()
        for service in harness.data_map.personal_services:
            [order] = await harness.orders(service)
            assert (order.cause, order.account_deletion) == (PurgeCause.ACCOUNT_DELETION, deletion.id)
            assert isinstance(order.scope, SubjectScope)
            assert (order.scope.account, order.scope.erase_time) == (True, deletion.keys_destroy_time)
            assert order.scope.revision > revision

    async def test_an_erasure_of_everything_leaves_the_account(self, harness: RetentionHarness) -> None:
        await harness.erase_everything()
        [order] = await harness.orders("consent")
        assert isinstance(order.scope, SubjectScope)
        assert not order.scope.account

    async def test_it_is_complete_when_all_have_reported(self, harness: RetentionHarness) -> None:
        deletion = await harness.delete_account()
        await harness.complete_all(spare="consent")
        assert (await harness.account_deletion(deletion))[0].state is AccountDeletionState.KEYS_DESTROYED
        await harness.complete_all()
        found, stores = await harness.account_deletion(deletion)
        assert found.state is AccountDeletionState.COMPLETE
        assert all(store.purge_time is not None for store in stores)

    async def test_the_records_of_earlier_erasures_go_with_it(self, harness: RetentionHarness) -> None:
        await harness.grant()
        erasure = await harness.erase(await harness.media(), request_id=(request_id := uuid4()))
        other = await harness.erase_everything(BEN)
        await harness.complete_all()
        await harness.delete_account()
        await harness.complete_all()
        with pytest.raises(errors.ErasureNotFound):
            await harness.erasure(erasure)
        assert (await harness.erasure(other))[0].id == other.id
        harness.clock.set(harness.clock.now() + SECOND)
        assert (await harness.erase_everything(request_id=request_id)).media is None

    async def test_asking_again_while_one_is_scheduled_answers_with_that_one(self, harness: RetentionHarness) -> None:
        first = await harness.delete_account(delay=DAY)
        assert await harness.delete_account(delay=2 * DAY) == first

    async def test_repeating_it_returns_the_first(self, harness: RetentionHarness) -> None:
        request_id = uuid4()
        first = await harness.delete_account(delay=DAY, request_id=request_id)
        assert await harness.delete_account(delay=DAY, request_id=request_id) == first

    async def test_a_request_id_belongs_to_one_request_whatever_it_asks_for(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media, request_id = await harness.media(), uuid4()
        await harness.delete_account(delay=DAY, request_id=request_id)
        with pytest.raises(errors.RequestIdReused):
            await harness.delete_account(delay=2 * DAY, request_id=request_id)
        with pytest.raises(errors.RequestIdReused):
            await harness.erase(media, request_id=request_id)

    async def test_a_request_that_met_a_finished_erasure_is_remembered_too(self, harness: RetentionHarness) -> None:
        await harness.grant()
        media, other, request_id = await harness.media(), await harness.media(), uuid4()
        first = await harness.erase(media)
        assert await harness.erase(media, request_id=request_id) == first
        with pytest.raises(errors.RequestIdReused):
            await harness.erase(other, request_id=request_id)

    async def test_it_can_be_cancelled_in_time(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [key] = await harness.create([])
        deletion = await harness.delete_account(delay=DAY)
        cancelled = await cancel_account_deletion(ADA, deletion.id, harness.dependencies)
        assert cancelled.state is AccountDeletionState.CANCELLED
        assert await cancel_account_deletion(ADA, deletion.id, harness.dependencies) == cancelled
        await harness.tick(2 * DAY)
        assert await harness.can_open(key)
        assert (await harness.delete_account(delay=DAY)).id != deletion.id

    async def test_it_cannot_be_cancelled_once_it_has_begun(self, harness: RetentionHarness) -> None:
        deletion = await harness.delete_account()
        with pytest.raises(errors.AccountDeletionBegun) as refusal:
            await cancel_account_deletion(ADA, deletion.id, harness.dependencies)
        assert refusal.value.metadata["state"] == "KEYS_DESTROYED"

    async def test_it_cannot_be_cancelled_once_its_time_has_come(self, harness: RetentionHarness) -> None:
        deletion = await harness.delete_account(delay=DAY)
        harness.clock.set(harness.clock.now() + DAY)
        with pytest.raises(errors.AccountDeletionBegun):
            await cancel_account_deletion(ADA, deletion.id, harness.dependencies)

    async def test_another_persons_deletion_does_not_exist(self, harness: RetentionHarness) -> None:
        deletion = await harness.delete_account(delay=DAY)
        with pytest.raises(errors.AccountDeletionNotFound):
            await cancel_account_deletion(BEN, deletion.id, harness.dependencies)

    async def test_its_record_is_readable_for_sixty_days(self, harness: RetentionHarness) -> None:
        deletion = await harness.delete_account()
        await harness.complete_all()
        await harness.tick(59 * DAY)
        assert (await harness.account_deletion(deletion))[0].state is AccountDeletionState.COMPLETE
        await harness.tick(2 * DAY)
        with pytest.raises(errors.AccountDeletionNotFound):
            await harness.account_deletion(deletion)

    async def test_a_person_who_comes_back_starts_afresh(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await harness.delete_account()
        harness.clock.set(harness.clock.now() + SECOND)
        await harness.grant(revision=1)
        [key] = await harness.create([])
        await harness.complete_all()
        assert await harness.can_open(key)


class LostKeys:
    """The newest epoch is gone."""

    async def test_services_and_consent_are_told(self, harness: RetentionHarness) -> None:
        revision = await harness.grant()
        await self._lose(harness)
        await harness.tick()
        for service in ("consent", *harness.data_map.media_services):
            [order] = await harness.orders(service)
            assert (order.cause, order.scope) == (PurgeCause.KEY_LOST, PurposeScope(CLOUD, revision))

    async def test_a_lost_key_is_not_granted_whether_it_was_found_yet_or_not(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await self._lose(harness)
        with pytest.raises(errors.PurposeNotGranted):
            await get_purpose_key(ADA, CLOUD, harness.dependencies)
        await harness.tick()
        with pytest.raises(errors.PurposeNotGranted):
            await get_purpose_key(ADA, CLOUD, harness.dependencies)

    async def test_asking_again_heals(self, harness: RetentionHarness) -> None:
        before = await harness.grant()
        await self._lose(harness)
        await harness.tick()
        assert await harness.grant() > before
        [key] = await harness.create([])
        await harness.tick(DAY)
        assert await harness.can_open(key)

    async def test_asking_again_heals_before_the_loss_was_found_too(self, harness: RetentionHarness) -> None:
        before = await harness.grant()
        await harness.tick(DAY)
        harness.epochs.destroy(harness.epochs.newest)
        harness.epochs.make(harness.epochs.newest)
        assert await harness.grant() > before
        assert [order.cause for order in await harness.orders("consent")] == [PurgeCause.KEY_LOST]
        [key] = await harness.create([])
        assert await harness.can_open(key)

    async def test_artefacts_of_a_lost_epoch_alone_are_deleted(self, harness: RetentionHarness) -> None:
        await harness.grant()
        [lost] = await harness.create([])
        first = harness.epochs.newest
        await harness.tick(DAY)
        [kept] = await harness.create([])
        harness.epochs.destroy(first)
        assert await harness.open(lost, kept) == {kept.id: kept.key}
        for service in harness.data_map.media_services:
            assert await harness.orders(service) == []
        await harness.tick()
        for service in harness.data_map.media_services:
            [order] = await harness.orders(service)
            assert (order.cause, order.scope) == (PurgeCause.KEY_LOST, DataKeyScope((lost.id,)))
        assert await harness.orders("consent") == [], "the purpose lives"
        await harness.tick(DAY)
        assert await harness.can_open(kept)

    async def test_artefacts_of_a_lost_day_are_deleted_and_the_day_goes_on(self, harness: RetentionHarness) -> None:
        await harness.tick(DAY)
        await harness.grant()
        [lost] = await harness.create([])
        harness.epochs.destroy(harness.epochs.newest)
        await harness.tick()
        await harness.grant()
        [key] = await harness.create([])
        assert await harness.open(lost, key) == {key.id: key.key}

    async def test_a_wrong_folder_destroys_nothing(self, harness: RetentionHarness, tmp_path: Path) -> None:
        await harness.grant()
        [key] = await harness.create([])
        await harness.tick(DAY)
        right = harness.epochs
        harness.epochs = EpochFiles(tmp_path / "elsewhere", b"x" * 32)
        for attempt in (rotate_epochs(harness.dependencies), harness.grant(), harness.tick()):
            with pytest.raises(errors.EpochsMisplaced, match="PELLICULE_LOST_EPOCHS=2026-03-01,2026-03-02"):
                await attempt
        assert harness.epochs.all() == []
        harness.epochs = right
        assert await harness.can_open(key)

    async def test_epochs_that_an_operator_gives_up_by_name_are_lost(
        self, harness: RetentionHarness, tmp_path: Path
    ) -> None:
        await harness.grant()
        await harness.tick(DAY)
        harness.epochs = EpochFiles(tmp_path / "elsewhere", b"x" * 32)
        given_up = replace(harness.dependencies, lost_epochs=frozenset({"2026-03-01", "2026-03-02"}))
        await rotate_epochs(given_up)
        assert [order.cause for order in await harness.orders("consent")] == [PurgeCause.KEY_LOST]
        await harness.grant()
        [key] = await harness.create([])
        await harness.tick(DAY)
        assert await harness.can_open(key)

    async def test_only_what_is_lost_is_told(self, harness: RetentionHarness) -> None:
        await harness.grant()
        await self._lose(harness)
        await harness.tick()
        await harness.grant(purpose=LOCATION)
        await harness.tick(DAY)
        assert len(await harness.orders("consent")) == 1

    async def _lose(self, harness: RetentionHarness) -> None:
        await harness.tick(DAY)
        harness.epochs.destroy(harness.epochs.newest)
