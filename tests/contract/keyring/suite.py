"""What holds for every keyring: run on the fake by the unit tests, on the real service by the integration tests.

A class that runs it gives the fixture `keyring_harness`.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from services.keyring import DataKey, Keyring, MediaErased, NewDataKey, PurposeNotGranted

ADA = "a" * 32
BEN = "b" * 32
CLOUD = "CLOUD_PROCESSING"
OLDER = "OLDER_MEDIA"
LOCATION = "LOCATION"


class KeyringHarness(Protocol):
    """A keyring, and what a person does to it."""

    @property
    def keyring(self) -> Keyring: ...

    def now(self) -> datetime: ...

    async def grant(self, subject: str, purpose: str, reach_back: datetime | None = None) -> int: ...

    async def withdraw(self, subject: str, purpose: str) -> None: ...

    async def erase_media(self, subject: str, media: str) -> None: ...

    async def erase_everything(self, subject: str) -> None: ...

    async def pass_time(self, by: timedelta) -> None: ...


def new_media() -> str:
    return f"media/{uuid4()}"


async def created(
    keyring_harness: KeyringHarness,
    *lineages: tuple[str, ...],
    purpose: str = CLOUD,
    subject: str = ADA,
    lasts: timedelta = timedelta(days=30),
) -> list[DataKey]:
    keys = [NewDataKey(keyring_harness.now() + lasts, lineage) for lineage in lineages]
    return await keyring_harness.keyring.create(subject=subject, purpose=purpose, keys=keys)


async def opened(
    keyring_harness: KeyringHarness, *keys: DataKey, subject: str = ADA, purpose: str = CLOUD
) -> dict[str, bytes]:
    return await keyring_harness.keyring.open(subject=subject, purpose=purpose, ids=[key.id for key in keys])


class KeyringSuite:
    async def test_keys_open_as_they_were_created(self, keyring_harness: KeyringHarness) -> None:
        revision = await keyring_harness.grant(ADA, CLOUD)
        keys = await created(keyring_harness, (), (new_media(),))
        assert await opened(keyring_harness, *keys) == {key.id: key.key for key in keys}
        assert {key.purpose_revision for key in keys} == {revision}

    async def test_more_keys_than_one_call_takes(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        keys = await created(keyring_harness, *[()] * 1001)
        assert await opened(keyring_harness, *keys) == {key.id: key.key for key in keys}

    async def test_no_keys_at_all(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        assert await created(keyring_harness) == []
        assert await opened(keyring_harness) == {}

    async def test_without_a_grant_there_are_no_keys(self, keyring_harness: KeyringHarness) -> None:
        with pytest.raises(PurposeNotGranted):
            await created(keyring_harness, ())

    async def test_without_a_grant_nothing_opens(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        keys = await created(keyring_harness, ())
        with pytest.raises(PurposeNotGranted) as refusal:
            await opened(keyring_harness, *keys, purpose=LOCATION)
        assert refusal.value.metadata["purpose"] == LOCATION

    async def test_without_a_grant_not_even_no_keys_open(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        await keyring_harness.withdraw(ADA, CLOUD)
        with pytest.raises(PurposeNotGranted):
            await opened(keyring_harness)

    async def test_foreign_keys_are_absent(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        await keyring_harness.grant(ADA, LOCATION)
        await keyring_harness.grant(BEN, CLOUD)
        keys = await created(keyring_harness, ())
        assert await opened(keyring_harness, *keys, purpose=LOCATION) == {}
        assert await opened(keyring_harness, *keys, subject=BEN) == {}

    async def test_a_withdrawal_ends_what_was_open_a_moment_ago(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        keys = await created(keyring_harness, ())
        await opened(keyring_harness, *keys)
        await keyring_harness.withdraw(ADA, CLOUD)
        with pytest.raises(PurposeNotGranted):
            await opened(keyring_harness, *keys)

    async def test_a_new_grant_has_a_higher_revision_and_does_not_open_the_old(
        self, keyring_harness: KeyringHarness
    ) -> None:
        first = await keyring_harness.grant(ADA, CLOUD)
        keys = await created(keyring_harness, ())
        await keyring_harness.withdraw(ADA, CLOUD)
        assert await keyring_harness.grant(ADA, CLOUD) > first
        assert await opened(keyring_harness, *keys) == {}

    async def test_keys_end_at_their_time(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        keys = await created(keyring_harness, (), lasts=timedelta(hours=1))
        await keyring_harness.pass_time(timedelta(hours=1))
        assert await opened(keyring_harness, *keys) == {}

    async def test_an_erased_media_takes_along_what_derives_from_it(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        media, other = new_media(), new_media()
        own, mixed, kept = await created(keyring_harness, (media,), (other, media), (other,))
        await opened(keyring_harness, own, mixed, kept)
        await keyring_harness.erase_media(ADA, media)
        assert await opened(keyring_harness, own, mixed, kept) == {kept.id: kept.key}

    async def test_nothing_derives_from_an_erased_media(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        media = new_media()
        await created(keyring_harness, (media,))
        await keyring_harness.erase_media(ADA, media)
        with pytest.raises(MediaErased) as refusal:
            await created(keyring_harness, (media,))
        assert refusal.value.metadata["media"] == media

    async def test_nothing_derives_from_a_media_of_a_withdrawn_consent(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        media = new_media()
        await created(keyring_harness, (media,))
        await keyring_harness.withdraw(ADA, CLOUD)
        await keyring_harness.grant(ADA, CLOUD)
        with pytest.raises(MediaErased):
            await created(keyring_harness, (media,))

    async def test_nothing_outlives_a_media_that_it_derives_from(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        media = new_media()
        await created(keyring_harness, (media,), lasts=timedelta(hours=1))
        derived = await created(keyring_harness, (new_media(), media), lasts=timedelta(days=30))
        await keyring_harness.pass_time(timedelta(hours=1))
        assert await opened(keyring_harness, *derived) == {}

    async def test_an_erased_person_has_nothing_left(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        keys = await created(keyring_harness, ())
        await keyring_harness.erase_everything(ADA)
        with pytest.raises(PurposeNotGranted):
            await opened(keyring_harness, *keys)

    async def test_destroyed_keys_are_absent(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        gone, kept = await created(keyring_harness, (), ())
        await opened(keyring_harness, gone, kept)
        assert await keyring_harness.keyring.destroy(subject=ADA, ids=[gone.id, str(uuid4())]) == 1
        assert await opened(keyring_harness, gone, kept) == {kept.id: kept.key}

    async def test_how_far_older_media_reaches_back_can_be_asked(self, keyring_harness: KeyringHarness) -> None:
        bound = keyring_harness.now() - timedelta(days=400)
        await keyring_harness.grant(ADA, OLDER, bound)
        await keyring_harness.grant(BEN, OLDER)
        assert await keyring_harness.keyring.reach_back(subject=ADA) == bound
        assert await keyring_harness.keyring.reach_back(subject=BEN) is None

    @pytest.mark.parametrize("year", [1826, 1923, 2020])
    async def test_a_bound_that_is_narrowed_takes_along_what_was_taken_before(
        self, keyring_harness: KeyringHarness, year: int
    ) -> None:
        await keyring_harness.grant(ADA, OLDER)
        taken = datetime(year, 1, 1, tzinfo=UTC)
        specs = [
            NewDataKey(keyring_harness.now() + timedelta(days=30), (new_media(),), taken + timedelta(microseconds=late))
            for late in (0, 1)
        ]
        gone, kept = await keyring_harness.keyring.create(subject=ADA, purpose=OLDER, keys=specs)
        await keyring_harness.grant(ADA, OLDER, taken + timedelta(microseconds=1))
        assert await opened(keyring_harness, gone, kept, purpose=OLDER) == {kept.id: kept.key}

    @pytest.mark.parametrize("year", [1826, 1923, 1970])
    async def test_older_media_may_reach_back_as_far_as_photos_do(
        self, keyring_harness: KeyringHarness, year: int
    ) -> None:
        bound = datetime(year, 1, 1, tzinfo=UTC)
        await keyring_harness.grant(ADA, OLDER, bound)
        assert await keyring_harness.keyring.reach_back(subject=ADA) == bound

    async def test_a_media_is_kept_for_as_long_as_a_key_of_it_lives(self, keyring_harness: KeyringHarness) -> None:
        await keyring_harness.grant(ADA, CLOUD)
        kept, erased, over, unknown = (new_media() for _ in range(4))
        await created(keyring_harness, (kept,), (erased,))
        await created(keyring_harness, (over,), lasts=timedelta(minutes=1))
        await keyring_harness.erase_media(ADA, erased)
        await keyring_harness.pass_time(timedelta(minutes=2))
        asked = [kept, erased, over, unknown]
        assert await keyring_harness.keyring.kept_media(subject=ADA, media=asked) == {kept}
        assert await keyring_harness.keyring.kept_media(subject=BEN, media=asked) == set()
        await keyring_harness.withdraw(ADA, CLOUD)
        assert await keyring_harness.keyring.kept_media(subject=ADA, media=asked) == set()

    async def test_who_has_not_granted_older_media_has_no_bound(self, keyring_harness: KeyringHarness) -> None:
        with pytest.raises(PurposeNotGranted):
            await keyring_harness.keyring.reach_back(subject=ADA)
