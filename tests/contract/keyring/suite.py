"""What holds for every keyring: run on the fake by the unit tests, on the real service by the integration tests.

A class that runs it gives the fixture `house`.
"""

from datetime import datetime, timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from services.keyring import DataKey, Keyring, MediaErased, NewDataKey, PurposeNotGranted

ADA = "a" * 32
BEN = "b" * 32
CLOUD = "CLOUD_PROCESSING"
OLDER = "OLDER_MEDIA"
LOCATION = "LOCATION"


class KeyHouse(Protocol):
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
    house: KeyHouse,
    *lineages: tuple[str, ...],
    purpose: str = CLOUD,
    subject: str = ADA,
    lasts: timedelta = timedelta(days=30),
) -> list[DataKey]:
    keys = [NewDataKey(house.now() + lasts, lineage) for lineage in lineages]
    return await house.keyring.create(subject=subject, purpose=purpose, keys=keys)


async def opened(house: KeyHouse, *keys: DataKey, subject: str = ADA, purpose: str = CLOUD) -> dict[str, bytes]:
    return await house.keyring.open(subject=subject, purpose=purpose, ids=[key.id for key in keys])


class KeyringSuite:
    async def test_keys_open_as_they_were_created(self, house: KeyHouse) -> None:
        revision = await house.grant(ADA, CLOUD)
        keys = await created(house, (), (new_media(),))
        assert await opened(house, *keys) == {key.id: key.key for key in keys}
        assert {key.purpose_revision for key in keys} == {revision}

    async def test_more_keys_than_one_call_takes(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        keys = await created(house, *[()] * 1001)
        assert await opened(house, *keys) == {key.id: key.key for key in keys}

    async def test_no_keys_at_all(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        assert await created(house) == []
        assert await opened(house) == {}

    async def test_without_a_grant_there_are_no_keys(self, house: KeyHouse) -> None:
        with pytest.raises(PurposeNotGranted):
            await created(house, ())

    async def test_without_a_grant_nothing_opens(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        keys = await created(house, ())
        with pytest.raises(PurposeNotGranted) as refusal:
            await opened(house, *keys, purpose=LOCATION)
        assert refusal.value.metadata["purpose"] == LOCATION

    async def test_without_a_grant_not_even_no_keys_open(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        await house.withdraw(ADA, CLOUD)
        with pytest.raises(PurposeNotGranted):
            await opened(house)

    async def test_foreign_keys_are_absent(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        await house.grant(ADA, LOCATION)
        await house.grant(BEN, CLOUD)
        keys = await created(house, ())
        assert await opened(house, *keys, purpose=LOCATION) == {}
        assert await opened(house, *keys, subject=BEN) == {}

    async def test_a_withdrawal_ends_what_was_open_a_moment_ago(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        keys = await created(house, ())
        await opened(house, *keys)
        await house.withdraw(ADA, CLOUD)
        with pytest.raises(PurposeNotGranted):
            await opened(house, *keys)

    async def test_a_new_grant_has_a_higher_revision_and_does_not_open_the_old(self, house: KeyHouse) -> None:
        first = await house.grant(ADA, CLOUD)
        keys = await created(house, ())
        await house.withdraw(ADA, CLOUD)
        assert await house.grant(ADA, CLOUD) > first
        assert await opened(house, *keys) == {}

    async def test_keys_end_at_their_time(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        keys = await created(house, (), lasts=timedelta(hours=1))
        await house.pass_time(timedelta(hours=1))
        assert await opened(house, *keys) == {}

    async def test_an_erased_media_takes_along_what_derives_from_it(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        media, other = new_media(), new_media()
        own, mixed, kept = await created(house, (media,), (other, media), (other,))
        await opened(house, own, mixed, kept)
        await house.erase_media(ADA, media)
        assert await opened(house, own, mixed, kept) == {kept.id: kept.key}

    async def test_nothing_derives_from_an_erased_media(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        media = new_media()
        await created(house, (media,))
        await house.erase_media(ADA, media)
        with pytest.raises(MediaErased) as refusal:
            await created(house, (media,))
        assert refusal.value.metadata["media"] == media

    async def test_nothing_derives_from_a_media_of_a_withdrawn_consent(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        media = new_media()
        await created(house, (media,))
        await house.withdraw(ADA, CLOUD)
        await house.grant(ADA, CLOUD)
        with pytest.raises(MediaErased):
            await created(house, (media,))

    async def test_nothing_outlives_a_media_that_it_derives_from(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        media = new_media()
        await created(house, (media,), lasts=timedelta(hours=1))
        derived = await created(house, (new_media(), media), lasts=timedelta(days=30))
        await house.pass_time(timedelta(hours=1))
        assert await opened(house, *derived) == {}

    async def test_an_erased_person_has_nothing_left(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        keys = await created(house, ())
        await house.erase_everything(ADA)
        with pytest.raises(PurposeNotGranted):
            await opened(house, *keys)

    async def test_destroyed_keys_are_absent(self, house: KeyHouse) -> None:
        await house.grant(ADA, CLOUD)
        gone, kept = await created(house, (), ())
        await opened(house, gone, kept)
        assert await house.keyring.destroy(subject=ADA, ids=[gone.id, str(uuid4())]) == 1
        assert await opened(house, gone, kept) == {kept.id: kept.key}

    async def test_how_far_older_media_reaches_back_can_be_asked(self, house: KeyHouse) -> None:
        bound = house.now() - timedelta(days=400)
        await house.grant(ADA, OLDER, bound)
        await house.grant(BEN, OLDER)
        assert await house.keyring.reach_back(subject=ADA) == bound
        assert await house.keyring.reach_back(subject=BEN) is None

    async def test_who_has_not_granted_older_media_has_no_bound(self, house: KeyHouse) -> None:
        with pytest.raises(PurposeNotGranted):
            await house.keyring.reach_back(subject=ADA)
