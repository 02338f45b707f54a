import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.ingest.domain import Purpose
from services.ingest.key_pool import KeyPool
from services.keyring import DataKey, MediaErased, NewDataKey, PurposeNotGranted
from tests.fakes.clock import FakeClock
from tests.fakes.keyring import FakeKeyring
from tests.unit.ingest.room import ALICE, BOB


class SlowKeyring(FakeKeyring):
    """Answers when it is let; remembers how many keys each request was for."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.may_answer = asyncio.Event()
        self.requests: list[int] = []

    async def create(self, *, subject: str, purpose: str, keys: Sequence[NewDataKey]) -> list[DataKey]:
        self.requests.append(len(keys))
        await self.may_answer.wait()
        return await super().create(subject=subject, purpose=purpose, keys=keys)


@pytest.fixture
def keyring() -> SlowKeyring:
    keyring = SlowKeyring(FakeClock())
    keyring.grant(ALICE, "CLOUD_PROCESSING")
    return keyring


def wish(keyring: SlowKeyring, pool: KeyPool, media: str, subject: str = ALICE) -> "asyncio.Task[DataKey]":
    new = NewDataKey(delete_by=FakeClock().now() + timedelta(days=30), lineage=(media,))
    return asyncio.create_task(pool.create(subject=subject, purpose=Purpose.CLOUD_PROCESSING, new=new))


async def test_what_comes_while_a_request_is_on_its_way_goes_along_with_the_next(keyring: SlowKeyring) -> None:
    pool = KeyPool(keyring)
    tasks = [wish(keyring, pool, "media/0")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += [wish(keyring, pool, f"media/{number}") for number in range(1, 5)]
    await asyncio.sleep(0)
    keyring.may_answer.set()
    keys = await asyncio.gather(*tasks)
    assert keyring.requests == [1, 4]
    assert [keyring.lineage(key.id) for key in keys] == [(f"media/{number}",) for number in range(5)]


async def test_a_refusal_reaches_everybody_it_concerns(keyring: SlowKeyring) -> None:
    pool = KeyPool(keyring)
    keyring.may_answer.set()
    mine, theirs = wish(keyring, pool, "media/1"), wish(keyring, pool, "media/2", subject=BOB)
    answers = await asyncio.gather(mine, theirs, return_exceptions=True)
    assert isinstance(answers[0], DataKey)
    assert isinstance(answers[1], PurposeNotGranted)


async def test_one_erased_media_does_not_spoil_the_others(keyring: SlowKeyring) -> None:
    pool = KeyPool(keyring)
    keyring.destroy_media(ALICE, "media/2")
    keyring.may_answer.set()
    answers = await asyncio.gather(
        *(wish(keyring, pool, f"media/{number}") for number in (1, 2, 3)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [DataKey, MediaErased, DataKey]


async def test_a_key_that_nobody_waits_for_any_more_is_destroyed(keyring: SlowKeyring) -> None:
    pool = KeyPool(keyring)
    gone, stays = wish(keyring, pool, "media/1"), wish(keyring, pool, "media/2")
    await asyncio.sleep(0)
    gone.cancel()
    keyring.may_answer.set()
    key = await stays
    await wish(keyring, pool, "media/3")
    assert keyring.destroy_media(ALICE, "media/1") == set()
    assert keyring.lineage(key.id) == ("media/2",)
