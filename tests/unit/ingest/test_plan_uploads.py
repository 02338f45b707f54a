from datetime import timedelta
from uuid import uuid4

import pytest

from services.ingest.domain.media import Asset
from services.ingest.domain.upload_plan import PlanReason
from services.ingest.operations.delete_media import delete_media
from services.ingest.operations.lookup_keys import RENEW_AFTER
from services.ingest.operations.plan_uploads import plan_uploads
from services.keyring import Purpose, PurposeNotGranted
from tests.unit.ingest.harness import ALICE, BOB, Harness, announce_reduced, asset
from tests.unit.ingest.pictures import picture


async def reasons(harness: Harness, *assets: Asset, subject: str = ALICE) -> list[str]:
    items = await plan_uploads(harness.dependencies, subject=subject, assets=assets, can_reduce=True)
    by_name = {item.client_id: item.reason.value for item in items}
    return [by_name[each.client_id] for each in assets]


async def test_without_a_grant_there_is_no_plan(harness: Harness) -> None:
    harness.keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await reasons(harness, asset(harness.now, b"a"))


async def test_what_is_kept_is_known_to_its_owner_alone(harness: Harness) -> None:
    content = picture()
    await harness.keep(content)
    assert await reasons(harness, asset(harness.now, content)) == ["KNOWN"]
    assert await reasons(harness, asset(harness.now, content), subject=BOB) == ["IN_WINDOW"]


async def test_an_original_is_wanted_once_its_idea_was_saved(harness: Harness) -> None:
    original, reduced = picture("JPEG", 400, 300), picture("JPEG", 100, 75)
    received = await harness.upload(announce_reduced(harness.now, original, reduced), reduced)
    assert received.media is not None
    assert await reasons(harness, asset(harness.now, original)) == ["KNOWN"]
    await harness.dependencies.media.want_originals("c", "e", ALICE, [received.media.id])
    assert await reasons(harness, asset(harness.now, original)) == ["ORIGINAL_WANTED"]


async def test_a_deleted_media_is_not_asked_for_again(harness: Harness) -> None:
    content = picture()
    media_id = await harness.keep(content)
    await delete_media(harness.dependencies, subject=ALICE, media_id=media_id, request_id=uuid4())
    assert await reasons(harness, asset(harness.now, content)) == ["DELETED"]


async def test_after_a_withdrawal_and_a_new_grant_nothing_is_remembered(harness: Harness) -> None:
    content = picture()
    await harness.keep(content)
    await harness.withdraw(Purpose.CLOUD_PROCESSING)
    harness.keyring.grant(ALICE, "CLOUD_PROCESSING")
    assert await reasons(harness, asset(harness.now, content)) == ["IN_WINDOW"]


async def test_older_media_are_asked_for_as_far_as_was_granted(harness: Harness) -> None:
    old = asset(harness.now, b"old", capture_time=harness.now - timedelta(days=100))
    assert await reasons(harness, old) == ["OUTSIDE_WINDOW"]
    harness.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=harness.now - timedelta(days=99))
    assert await reasons(harness, old) == ["OUTSIDE_WINDOW"]
    harness.keyring.grant(ALICE, "OLDER_MEDIA", reach_back=harness.now - timedelta(days=101))
    assert await reasons(harness, old) == ["OLDER_MEDIA_GRANTED"]


async def test_the_lookup_key_outlives_its_seals(harness: Harness) -> None:
    content = picture()
    await harness.keep(content)
    before = harness.tables.lookup_keys[ALICE]
    for _ in range(29):
        await harness.clock.advance(RENEW_AFTER)
        assert await reasons(harness, asset(harness.now, content)) == ["KNOWN"]
    assert harness.tables.lookup_keys[ALICE].data_key_id != before.data_key_id
    assert str(before.data_key_id) not in harness.keyring.alive


async def test_the_plan_counts_what_is_kept_against_the_share(harness: Harness) -> None:
    harness.tables.used[ALICE] = harness.policy.quota_bytes
    assert [
        await reasons(harness, asset(harness.now, b"a")),
        await reasons(harness, asset(harness.now, b"a"), subject=BOB),
    ] == [
        [PlanReason.QUOTA.value],
        [PlanReason.IN_WINDOW.value],
    ]
