import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.chassis.changes.feed import Checkpoint, Reset
from services.chassis.errors import FieldInvalid
from services.chassis.principal import Person, enter_principal
from services.ingest.domain.devices import DeviceDescription
from services.ingest.errors import DeviceNotFound, DeviceRevoked
from services.ingest.operations.delete_media import delete_media
from services.ingest.operations.register_device import register_device
from services.ingest.operations.revoke_device import revoke_device
from services.ingest.operations.update_media import OwnerMarks, update_media
from services.ingest.operations.watch_media import Told, ToldDeletion, ToldMedia, acknowledge_changes, watch_media
from services.keyring import PurgeCause, Purpose, PurposeNotGranted, SubjectScope
from tests.unit.ingest.harness import ALICE, BOB, Harness
from tests.unit.ingest.pictures import picture


@pytest.fixture(autouse=True)
def caller() -> None:
    enter_principal(Person(ALICE))


def watching(harness: Harness, cursor: str = "", device_id: UUID | None = None) -> AsyncGenerator[Told, None]:
    return watch_media(harness.dependencies, subject=ALICE, cursor=cursor, device_id=device_id, until_checkpoint=False)


async def up_to_now(
    harness: Harness, cursor: str = "", device_id: UUID | None = None, subject: str = ALICE
) -> list[Told]:
    feed = watch_media(harness.dependencies, subject=subject, cursor=cursor, device_id=device_id, until_checkpoint=True)
    return [item async for item in feed]


async def a_device(harness: Harness, subject: str = ALICE) -> UUID:
    device_id = uuid4()
    await register_device(harness.dependencies, subject=subject, device_id=device_id, description=DeviceDescription())
    return device_id


def kinds(items: list[Told]) -> list[type]:
    return [type(item) for item in items]


async def test_a_snapshot_holds_what_is_there_and_ends_with_a_checkpoint(harness: Harness) -> None:
    media_id = await harness.keep()
    await harness.keep(subject=BOB)
    told, checkpoint = await up_to_now(harness)
    assert isinstance(told, ToldMedia)
    assert (told.is_new, told.media.id, told.media.metadata.file_name) == (True, media_id, "IMG_0001.jpg")
    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.snapshot


async def test_what_happened_since_a_cursor_is_told_once(harness: Harness) -> None:
    changed, gone = await harness.keep(picture(seed=1)), await harness.keep(picture(seed=2))
    *_, before = await up_to_now(harness)
    assert isinstance(before, Checkpoint)
    await update_media(
        harness.dependencies, subject=ALICE, media_id=changed, marks=OwnerMarks(favorite=True), request_id=None
    )
    await delete_media(harness.dependencies, subject=ALICE, media_id=gone, request_id=uuid4())
    new = await harness.keep(picture(seed=3))
    change, deletion, creation, checkpoint = await up_to_now(harness, before.cursor)
    assert isinstance(change, ToldMedia)
    assert (change.is_new, change.media.id, change.media.metadata.favorite) == (False, changed, True)
    assert isinstance(deletion, ToldDeletion)
    assert deletion.name == f"media/{gone}"
    assert isinstance(creation, ToldMedia)
    assert (creation.is_new, creation.media.id) == (True, new)
    assert isinstance(checkpoint, Checkpoint)
    assert not checkpoint.snapshot
    assert kinds(await up_to_now(harness, checkpoint.cursor)) == [Checkpoint]


async def test_a_feed_goes_on_from_each_of_its_cursors(harness: Harness) -> None:
    for seed in range(3):
        await harness.keep(picture(seed=seed))
    items = await up_to_now(harness)
    for place, item in enumerate(items[:-1]):
        assert isinstance(item, ToldMedia)
        rest = await up_to_now(harness, item.cursor)
        assert kinds(rest) == kinds(items[place + 1 :])


async def test_each_device_goes_on_from_what_it_acknowledged(harness: Harness) -> None:
    phone, tablet = await a_device(harness), await a_device(harness)
    await harness.keep()
    *_, checkpoint = await up_to_now(harness, device_id=phone)
    assert isinstance(checkpoint, Checkpoint)
    await acknowledge_changes(harness.dependencies, subject=ALICE, device_id=phone, cursor=checkpoint.cursor)
    assert kinds(await up_to_now(harness, device_id=phone)) == [Checkpoint]
    assert kinds(await up_to_now(harness, device_id=tablet)) == [ToldMedia, Checkpoint]


async def test_changes_come_as_they_happen(harness: Harness) -> None:
    media_id = await harness.keep()
    async with aclosing(watching(harness)) as feed:
        assert [type(await anext(feed)) for _ in range(2)] == [ToldMedia, Checkpoint]
        await delete_media(harness.dependencies, subject=ALICE, media_id=media_id, request_id=uuid4())
        assert isinstance(await anext(feed), ToldDeletion)


async def test_a_deletion_is_told_before_its_purge(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        """Leave the order for later."""

    monkeypatch.setattr(harness, "purge", nothing)
    media_id = await harness.keep()
    *_, before = await up_to_now(harness)
    assert isinstance(before, Checkpoint)
    await delete_media(harness.dependencies, subject=ALICE, media_id=media_id, request_id=uuid4())
    assert media_id in harness.tables.media
    assert kinds(await up_to_now(harness, before.cursor)) == [ToldDeletion, Checkpoint]


async def test_a_withdrawal_tells_what_is_gone_and_ends_the_feed(harness: Harness) -> None:
    media_id = await harness.keep()
    async with aclosing(watching(harness)) as feed:
        assert [type(await anext(feed)) for _ in range(2)] == [ToldMedia, Checkpoint]
        await harness.withdraw(Purpose.CLOUD_PROCESSING)
        told = await anext(feed)
        assert isinstance(told, ToldDeletion)
        assert told.name == f"media/{media_id}"
        with pytest.raises(PurposeNotGranted):
            await anext(feed)


async def test_without_a_grant_there_is_no_feed(harness: Harness) -> None:
    await harness.withdraw(Purpose.CLOUD_PROCESSING)
    with pytest.raises(PurposeNotGranted):
        await up_to_now(harness)


async def test_what_no_longer_opens_is_passed_over(harness: Harness) -> None:
    first, second = await harness.keep(picture(seed=1)), await harness.keep(picture(seed=2))
    harness.keyring.destroy_media(ALICE, f"media/{first}")
    told, checkpoint = await up_to_now(harness)
    assert isinstance(told, ToldMedia)
    assert told.media.id == second
    assert isinstance(checkpoint, Checkpoint)


async def test_with_the_account_the_feed_is_forgotten(harness: Harness) -> None:
    await harness.keep()
    *_, checkpoint = await up_to_now(harness)
    assert isinstance(checkpoint, Checkpoint)
    await harness.purge(SubjectScope(9, harness.now, account=True), PurgeCause.ACCOUNT_DELETION)
    assert ALICE not in harness.changes.heads
    harness.tables.fences.clear()
    new = await harness.keep(picture(seed=2))
    reset, told, checkpoint = await up_to_now(harness, checkpoint.cursor)
    assert isinstance(reset, Reset)
    assert isinstance(told, ToldMedia)
    assert told.media.id == new
    assert isinstance(checkpoint, Checkpoint)
    assert checkpoint.snapshot


async def test_a_cursor_belongs_to_its_person(harness: Harness) -> None:
    await harness.keep()
    *_, checkpoint = await up_to_now(harness)
    assert isinstance(checkpoint, Checkpoint)
    with pytest.raises(FieldInvalid, match="cursor"):
        await up_to_now(harness, checkpoint.cursor, subject=BOB)
    with pytest.raises(FieldInvalid, match="cursor"):
        await up_to_now(harness, checkpoint.cursor + "x")


async def test_a_device_that_is_not_registered_has_no_feed(harness: Harness) -> None:
    others = await a_device(harness, BOB)
    for device_id in (uuid4(), others):
        with pytest.raises(DeviceNotFound):
            await up_to_now(harness, device_id=device_id)
        with pytest.raises(DeviceNotFound):
            await acknowledge_changes(harness.dependencies, subject=ALICE, device_id=device_id, cursor="x")


async def test_a_revoked_device_has_no_feed(harness: Harness) -> None:
    device_id = await a_device(harness)
    await revoke_device(harness.dependencies, subject=ALICE, device_id=device_id)
    with pytest.raises(DeviceRevoked):
        await up_to_now(harness, device_id=device_id)
    with pytest.raises(DeviceRevoked):
        await acknowledge_changes(harness.dependencies, subject=ALICE, device_id=device_id, cursor="x")


async def test_the_open_feed_of_a_device_ends_when_it_is_revoked_and_no_other(harness: Harness) -> None:
    lost, kept = await a_device(harness), await a_device(harness)
    async with (
        aclosing(watching(harness, device_id=lost)) as feed,
        aclosing(watching(harness, device_id=kept)) as other,
    ):
        assert isinstance(await anext(feed), Checkpoint)
        assert isinstance(await anext(other), Checkpoint)
        await revoke_device(harness.dependencies, subject=ALICE, device_id=lost)
        with pytest.raises(DeviceRevoked):
            await anext(feed)
        await harness.keep()
        assert isinstance(await anext(other), ToldMedia)


async def test_who_watches_and_who_acknowledges_was_seen(harness: Harness) -> None:
    device_id = await a_device(harness)
    await harness.keep()
    first = harness.tables.devices[ALICE, device_id].last_seen_time
    await harness.clock.advance(timedelta(hours=2, minutes=20))
    *_, checkpoint = await up_to_now(harness, device_id=device_id)
    assert harness.tables.devices[ALICE, device_id].last_seen_time == first + timedelta(hours=2)
    await harness.clock.advance(timedelta(hours=1))
    assert isinstance(checkpoint, Checkpoint)
    await acknowledge_changes(harness.dependencies, subject=ALICE, device_id=device_id, cursor=checkpoint.cursor)
    assert harness.tables.devices[ALICE, device_id].last_seen_time == first + timedelta(hours=3)


async def test_a_feed_in_which_nothing_ever_was_ends_with_the_consent(harness: Harness) -> None:
    async with aclosing(watching(harness)) as feed:
        assert isinstance(await anext(feed), Checkpoint)
        ending = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0)
        harness.keyring.destroy_purpose(ALICE, Purpose.CLOUD_PROCESSING)
        with pytest.raises(PurposeNotGranted):
            await asyncio.wait_for(ending, 5)


async def test_a_feed_outlives_the_end_of_another_purpose(harness: Harness) -> None:
    harness.keyring.grant(ALICE, "LOCATION")
    async with aclosing(watching(harness)) as feed:
        assert isinstance(await anext(feed), Checkpoint)
        coming = asyncio.ensure_future(anext(feed))
        await asyncio.sleep(0)
        harness.keyring.destroy_purpose(ALICE, "LOCATION")
        media = await harness.keep()
        told = await asyncio.wait_for(coming, 5)
        assert isinstance(told, ToldMedia)
        assert told.media.id == media
