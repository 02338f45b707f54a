import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.ingest.operations import key_pool
from services.ingest.operations.key_pool import KeyPool, MediaKey
from services.keyring import DataKey, NewDataKey, Purpose, PurposeNotGranted
from tests.fakes.clock import FakeClock
from tests.unit.ingest.harness import ALICE, BOB, WatchedKeyring

RETENTION = timedelta(days=30)


class SlowKeyring(WatchedKeyring):
    """Answers when it is let; remembers how many keys each request was for."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.may_answer = asyncio.Event()
        self.requests: list[int] = []
        self.destroyed = asyncio.Event()

    async def create(self, *, subject: str, purpose: str, keys: Sequence[NewDataKey]) -> list[DataKey]:
        self.requests.append(len(keys))
        await self.may_answer.wait()
        return await super().create(subject=subject, purpose=purpose, keys=keys)

    async def destroy(self, *, subject: str, ids: Sequence[str]) -> int:
        try:
            return await super().destroy(subject=subject, ids=ids)
        finally:
            self.destroyed.set()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def keyring(clock: FakeClock) -> SlowKeyring:
    keyring = SlowKeyring(clock)
    keyring.grant(ALICE, "CLOUD_PROCESSING")
    return keyring


@pytest.fixture
def pool(keyring: SlowKeyring, clock: FakeClock) -> KeyPool:
    return KeyPool(keyring, clock, RETENTION)


def take(pool: KeyPool, subject: str = ALICE) -> "asyncio.Task[MediaKey]":
    return asyncio.create_task(pool.take(subject=subject, purpose=Purpose.CLOUD_PROCESSING))


async def turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_a_key_is_made_for_its_media(keyring: SlowKeyring, pool: KeyPool, clock: FakeClock) -> None:
    keyring.may_answer.set()
    made = await take(pool)
    assert keyring.lineage(made.key.id) == (f"media/{made.media_id}",)
    assert made.delete_time == clock.now() + RETENTION
    assert keyring.requests == [1]


async def test_what_comes_while_a_request_is_on_its_way_goes_along_with_the_next(
    keyring: SlowKeyring, pool: KeyPool
) -> None:
    first = take(pool)
    await turn()
    others = [take(pool) for _ in range(4)]
    await turn()
    keyring.may_answer.set()
    made = await asyncio.gather(first, *others)
    assert len(keyring.requests) == 2
    assert len({each.media_id for each in made}) == 5


async def test_a_roll_is_served_ahead_of_need(keyring: SlowKeyring, pool: KeyPool) -> None:
    keyring.may_answer.set()
    made = [await take(pool) for _ in range(20)]
    assert len({each.key.id for each in made}) == 20
    assert len(keyring.requests) < 8
    assert max(keyring.requests) <= 1 + key_pool.MAX_AHEAD


async def test_a_key_that_nobody_took_is_destroyed(
    keyring: SlowKeyring, pool: KeyPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_pool, "HOLD_SECONDS", 0.0)
    keyring.may_answer.set()
    taken = [(await take(pool)).key.id, (await take(pool)).key.id]
    assert keyring.requests == [1, 2]
    await keyring.destroyed.wait()
    assert keyring.alive == set(taken)


async def test_a_withdrawal_and_a_new_grant_make_new_keys(keyring: SlowKeyring, pool: KeyPool) -> None:
    keyring.may_answer.set()
    for _ in range(3):
        await take(pool)
    keyring.destroy_purpose(ALICE, "CLOUD_PROCESSING")
    with pytest.raises(PurposeNotGranted):
        await take(pool)
    revision = keyring.grant(ALICE, "CLOUD_PROCESSING")
    assert (await take(pool)).key.purpose_revision == revision


async def test_a_key_that_nobody_waits_for_any_more_serves_the_next(keyring: SlowKeyring, pool: KeyPool) -> None:
    gone = take(pool)
    await turn()
    gone.cancel()
    keyring.may_answer.set()
    await turn()
    assert (await take(pool)).key.id in keyring.alive
    assert keyring.requests == [1]


async def test_a_refusal_reaches_those_whom_it_concerns(keyring: SlowKeyring, pool: KeyPool) -> None:
    keyring.may_answer.set()
    answers = await asyncio.gather(take(pool), take(pool, BOB), take(pool, BOB), return_exceptions=True)
    assert [type(answer) for answer in answers] == [MediaKey, PurposeNotGranted, PurposeNotGranted]
    keyring.grant(BOB, "CLOUD_PROCESSING")
    assert isinstance(await take(pool, BOB), MediaKey)
