from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from services.ingest import operations
from services.ingest.domain import Asset, PageToken, Purpose
from services.ingest.errors import MediaNotFound
from services.ingest.lookup import RENEW_AFTER
from services.ingest.selection import PlanReason
from services.keyring import DataKeyScope, PurgeCause, PurposeNotGranted, SubjectScope
from tests.unit.ingest.pictures import picture
from tests.unit.ingest.room import ALICE, BOB, Room, announce_preview, asset


async def reasons(room: Room, *assets: Asset, subject: str = ALICE) -> list[str]:
    items = await operations.plan_uploads(room.intake, subject=subject, assets=assets, can_make_previews=True)
    by_name = {item.client_id: item.reason.value for item in items}
    return [by_name[each.client_id] for each in assets]


async def listed(room: Room, subject: str = ALICE, size: int = 100) -> list[UUID]:
    found: list[UUID] = []
    after: PageToken | None = None
    while True:
        media, after = await operations.list_media(room.intake, subject=subject, page_size=size, after=after)
        found += [each.id for each in media]
        if after is None:
            return found


class TestPlan:
    async def test_without_a_grant_there_is_no_plan(self, room: Room) -> None:
        room.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        with pytest.raises(PurposeNotGranted):
            await reasons(room, asset(room.now, b"a"))

    async def test_what_is_kept_is_known_to_its_owner_alone(self, room: Room) -> None:
        content = picture()
        await room.keep(content)
        assert await reasons(room, asset(room.now, content)) == ["KNOWN"]
        assert await reasons(room, asset(room.now, content), subject=BOB) == ["IN_WINDOW"]

    async def test_an_original_is_wanted_once_its_idea_was_saved(self, room: Room) -> None:
        original, preview = picture("JPEG", 400, 300), picture("JPEG", 100, 75)
        received = await room.upload(announce_preview(room.now, original, preview), preview)
        assert received.media is not None
        assert await reasons(room, asset(room.now, original)) == ["KNOWN"]
        await room.intake.media.want_originals("c", "e", ALICE, [received.media.id])  # type: ignore[attr-defined]
        assert await reasons(room, asset(room.now, original)) == ["ORIGINAL_WANTED"]

    async def test_a_deleted_media_is_not_asked_for_again(self, room: Room) -> None:
        content = picture()
        media_id = await room.keep(content)
        await operations.delete_media(room.intake, room, subject=ALICE, media_id=media_id, request_id=uuid4())
        assert await reasons(room, asset(room.now, content)) == ["DELETED"]

    async def test_after_a_withdrawal_and_a_new_grant_nothing_is_remembered(self, room: Room) -> None:
        content = picture()
        await room.keep(content)
        await room.withdraw(Purpose.CLOUD_PROCESSING)
        room.keyring.grant(ALICE, "CLOUD_PROCESSING")
        assert await reasons(room, asset(room.now, content)) == ["IN_WINDOW"]

    async def test_older_media_are_asked_for_as_far_as_was_granted(self, room: Room) -> None:
        old = asset(room.now, b"old", capture_time=room.now - timedelta(days=100))
        assert await reasons(room, old) == ["OUTSIDE_WINDOW"]
        room.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=room.now - timedelta(days=99))
        assert await reasons(room, old) == ["OUTSIDE_WINDOW"]
        room.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=room.now - timedelta(days=101))
        assert await reasons(room, old) == ["OLDER_MEDIA_GRANTED"]

    async def test_the_lookup_key_outlives_its_seals(self, room: Room) -> None:
        content = picture()
        await room.keep(content)
        before = room.tables.lookup_keys[ALICE]
        for _ in range(29):
            await room.clock.advance(RENEW_AFTER)
            assert await reasons(room, asset(room.now, content)) == ["KNOWN"]
        assert room.tables.lookup_keys[ALICE].data_key_id != before.data_key_id
        assert str(before.data_key_id) not in room.keyring.alive

    async def test_the_plan_counts_what_is_kept_against_the_share(self, room: Room) -> None:
        room.tables.used[ALICE] = room.policy.quota_bytes
        assert [
            await reasons(room, asset(room.now, b"a")),
            await reasons(room, asset(room.now, b"a"), subject=BOB),
        ] == [
            [PlanReason.QUOTA.value],
            [PlanReason.IN_WINDOW.value],
        ]


class TestLooking:
    async def test_a_list_goes_page_by_page_and_shows_ones_own_alone(self, room: Room) -> None:
        mine = []
        for seed in range(5):
            mine.append(await room.keep(picture(seed=seed)))
            await room.clock.advance(1.0)
        await room.keep(subject=BOB)
        assert await listed(room, size=2) == mine[::-1]
        assert await listed(room, size=5) == mine[::-1]

    async def test_what_does_not_open_is_not_shown(self, room: Room) -> None:
        first, second = await room.keep(picture(seed=1)), await room.keep(picture(seed=2))
        room.keyring.destroy_media(ALICE, f"media/{first}")
        assert await listed(room) == [second]
        with pytest.raises(MediaNotFound):
            await operations.get_media(room.intake, subject=ALICE, media_id=first)

    async def test_older_media_vanish_with_their_purpose(self, room: Room) -> None:
        room.keyring.grant(ALICE, "OLDER_MEDIA")
        old = await room.keep(picture(seed=1), capture_time=room.now - timedelta(days=100))
        new = await room.keep(picture(seed=2))
        assert set(await listed(room)) == {old, new}
        room.keyring.destroy_purpose(ALICE, "OLDER_MEDIA")
        assert await listed(room) == [new]

    async def test_without_a_grant_nothing_is_listed(self, room: Room) -> None:
        room.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
        with pytest.raises(PurposeNotGranted):
            await listed(room)

    async def test_another_persons_media_does_not_exist(self, room: Room) -> None:
        media_id = await room.keep()
        with pytest.raises(MediaNotFound):
            await operations.get_media(room.intake, subject=BOB, media_id=media_id)

    def test_a_page_token_is_read_back(self, room: Room) -> None:
        token = PageToken(room.now, uuid4())
        assert PageToken.decode(token.encode()) == token

    @pytest.mark.parametrize("token", ["x", "eA==", "MjAyNi0wMy0wMVQxMjowMDowMHxhYmM="])
    def test_a_made_up_page_token_is_refused(self, token: str) -> None:
        with pytest.raises(ValueError):
            PageToken.decode(token)


class TestDeleting:
    async def test_a_deleted_media_is_gone_with_its_object(self, room: Room) -> None:
        media_id = await room.keep()
        request_id = uuid4()
        erasure = await operations.delete_media(
            room.intake, room, subject=ALICE, media_id=media_id, request_id=request_id
        )
        assert erasure == f"erasures/{request_id}"
        assert (room.tables.media, room.objects.objects) == ({}, {})
        with pytest.raises(MediaNotFound):
            await operations.get_media(room.intake, subject=ALICE, media_id=media_id)

    async def test_another_persons_media_cannot_be_deleted(self, room: Room) -> None:
        media_id = await room.keep()
        with pytest.raises(MediaNotFound):
            await operations.delete_media(room.intake, room, subject=BOB, media_id=media_id, request_id=uuid4())
        assert await listed(room) == [media_id]

    async def test_what_never_was_cannot_be_deleted(self, room: Room) -> None:
        with pytest.raises(MediaNotFound):
            await operations.delete_media(room.intake, room, subject=ALICE, media_id=uuid4(), request_id=uuid4())


class TestPurging:
    async def test_an_order_counts_what_each_store_deleted(self, room: Room) -> None:
        media_id = await room.keep()
        key_id = room.tables.media[media_id].data_key_id
        counts = await room.purge(DataKeyScope((str(key_id),)), PurgeCause.DEADLINE)
        assert {store: count for store, count in counts.items() if count} == {
            "ingest.table.media": 1,
            "ingest.table.upload": 1,
            "ingest.table.segment": 1,
            "ingest.table.usage": 1,
            "ingest.bucket.media": 1,
        }
        again = await room.purge(DataKeyScope((str(key_id),)), PurgeCause.DEADLINE)
        assert set(again.values()) == {0}

    async def test_a_person_is_forgotten_whole(self, room: Room) -> None:
        await room.keep(picture(seed=1))
        deleted = await room.keep(picture(seed=2))
        await operations.delete_media(room.intake, room, subject=ALICE, media_id=deleted, request_id=uuid4())
        await room.keep(subject=BOB)
        revision = room.keyring.destroy_subject(ALICE)
        await room.purge(SubjectScope(revision, room.now), PurgeCause.ERASURE)
        everything = (room.tables.media, room.tables.uploads, room.tables.lookup_keys, room.tables.deleted)
        assert ALICE not in repr(everything)
        assert len(room.objects.objects) == 1


class TestHousekeeping:
    async def test_an_object_that_no_row_names_is_removed_after_the_grace_time(self, room: Room) -> None:
        await room.keep()
        await room.objects.put("media", "orphan", b"sealed")
        assert await room.housekeeping.reconcile() == 0
        await room.clock.advance(timedelta(minutes=59))
        assert await room.housekeeping.reconcile() == 0
        await room.clock.advance(timedelta(minutes=1))
        assert await room.housekeeping.reconcile() == 1
        assert "orphan" not in room.object_names
        assert len(room.object_names) == 1

    async def test_an_object_that_is_named_in_time_stays(self, room: Room) -> None:
        media_id = await room.keep()
        key_id = room.tables.media[media_id].data_key_id
        segments = room.tables.segments.pop(key_id)
        await room.housekeeping.reconcile()
        room.tables.segments[key_id] = segments
        await room.clock.advance(timedelta(hours=2))
        assert await room.housekeeping.reconcile() == 0

    async def test_complete_uploads_are_forgotten_and_their_media_stay(self, room: Room) -> None:
        media_id = await room.keep()
        await room.clock.advance(timedelta(hours=24))
        assert await room.housekeeping.expire_uploads() == 1
        assert room.tables.uploads == {}
        assert await listed(room) == [media_id]
