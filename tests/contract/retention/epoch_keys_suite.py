"""What every keeper of the keys of epochs must do, wherever they are."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from services.retention.domain.keys import NO_EPOCH, Purpose, PurposeKey, WrappedKey
from services.retention.errors import EpochGone, WrapBroken
from services.retention.operations.keys_at_hand import at_hand
from services.retention.ports import EpochKeys

FIRST, SECOND = "2026-03-01", "2026-03-02"
SECRET = b"s" * 32
ID = "00000000-0000-4000-8000-000000000001"
REVISION = 7

AnswerT = TypeVar("AnswerT")


def aad(subject: str = "a" * 32, revision: int = REVISION) -> bytes:
    return PurposeKey.aad_of(subject, Purpose.LOCATION, revision)


def purpose_key(wrapped: WrappedKey) -> PurposeKey:
    return PurposeKey("a" * 32, Purpose.LOCATION, REVISION, 1, datetime(2026, 4, 1, tzinfo=UTC), wrapped)


async def asked(keys: EpochKeys, answer: Callable[[], AnswerT]) -> AnswerT:
    """Ask as operations do: what is not at hand is fetched."""
    return await at_hand(keys, answer)


async def begun(keys: EpochKeys, epoch: str = FIRST) -> None:
    await keys.ensure(epoch)
    keys.begin(epoch)


async def wrapped(keys: EpochKeys) -> WrappedKey:
    return await asked(keys, lambda: keys.wrap(SECRET, aad()))


async def unwrapped(keys: EpochKeys, key: WrappedKey, bound_to: bytes = aad()) -> bytes:
    return await asked(keys, lambda: keys.unwrap(key, bound_to))


async def printed(keys: EpochKeys, epoch: str) -> bytes:
    return await asked(keys, lambda: keys.fingerprint(epoch))


async def is_there(keys: EpochKeys, epoch: str) -> bool:
    return await asked(keys, lambda: keys.has(epoch))


class EpochKeysSuite:
    """Subclasses give `keys` and `others`: the same keys, as another process has them."""

    async def test_a_key_comes_back_as_it_was(self, keys: EpochKeys) -> None:
        await begun(keys)
        assert await unwrapped(keys, await wrapped(keys)) == SECRET

    async def test_it_is_bound_to_whose_it_is_and_to_its_number(self, keys: EpochKeys) -> None:
        await begun(keys)
        key = await wrapped(keys)
        for other in (aad("b" * 32), aad(revision=REVISION + 1)):
            with pytest.raises(EpochGone):
                await unwrapped(keys, key, other)

    async def test_an_altered_key_does_not_open(self, keys: EpochKeys) -> None:
        await begun(keys)
        key = await wrapped(keys)
        altered = bytes([key.sealed[0] ^ 1]) + key.sealed[1:]
        with pytest.raises(EpochGone):
            await unwrapped(keys, WrappedKey(key.epoch, altered))

    async def test_the_epoch_that_was_begun_last_wraps_and_older_ones_open(self, keys: EpochKeys) -> None:
        await begun(keys)
        first = await wrapped(keys)
        await keys.ensure(SECOND)
        assert (await wrapped(keys)).epoch == FIRST
        keys.begin(SECOND)
        assert (await wrapped(keys)).epoch == SECOND
        assert await unwrapped(keys, first) == SECRET

    async def test_data_keys_hang_on_their_purpose_and_their_epoch(self, keys: EpochKeys) -> None:
        await begun(keys)
        await keys.ensure(SECOND)
        key = purpose_key(await wrapped(keys))
        wrapper = await asked(keys, lambda: keys.data_keys(key, {SECOND, NO_EPOCH}))
        sealed = [wrapper.wrap(ID, SECRET, epoch) for epoch in (FIRST, SECOND, NO_EPOCH)]
        assert [wrapper.unwrap(ID, each) for each in sealed] == [SECRET] * 3
        with pytest.raises(WrapBroken):
            wrapper.unwrap(ID, WrappedKey(SECOND, sealed[0].sealed))

    async def test_two_processes_that_make_an_epoch_share_its_key(self, keys: EpochKeys, others: EpochKeys) -> None:
        assert [await each.ensure(FIRST) for each in (keys, others)] == [True, False]
        keys.begin(FIRST)
        assert await unwrapped(others, await wrapped(keys)) == SECRET
        ours, theirs = [await printed(each, FIRST) for each in (keys, others)]
        assert ours == theirs

    async def test_an_epoch_that_another_process_made_is_found_once_it_looks(
        self, keys: EpochKeys, others: EpochKeys
    ) -> None:
        await keys.look()
        await others.ensure(FIRST)
        await keys.look()
        assert await is_there(keys, FIRST)
        assert await asked(keys, keys.all) == [FIRST]

    async def test_nothing_opens_under_a_destroyed_epoch(self, keys: EpochKeys) -> None:
        await begun(keys)
        key = await wrapped(keys)
        await keys.end(FIRST)
        with pytest.raises(EpochGone):
            await unwrapped(keys, key)
        with pytest.raises(EpochGone):
            await asked(keys, lambda: keys.data_keys(purpose_key(key)))
        assert not await is_there(keys, FIRST)
        assert await asked(keys, keys.all) == []

    async def test_other_processes_forget_a_destroyed_epoch_once_they_look(
        self, keys: EpochKeys, others: EpochKeys
    ) -> None:
        await begun(keys)
        key = await wrapped(keys)
        assert await unwrapped(others, key) == SECRET
        await keys.end(FIRST)
        await others.look()
        with pytest.raises(EpochGone):
            await unwrapped(others, key)

    async def test_an_epoch_made_again_is_another_one(self, keys: EpochKeys) -> None:
        await begun(keys)
        key, before = await wrapped(keys), await printed(keys, FIRST)
        await keys.end(FIRST)
        await keys.ensure(FIRST)
        with pytest.raises(EpochGone):
            await unwrapped(keys, key)
        assert await printed(keys, FIRST) != before

    async def test_ending_twice_is_no_error(self, keys: EpochKeys) -> None:
        await begun(keys)
        await keys.end(FIRST)
        await keys.end(FIRST)
        assert not await is_there(keys, FIRST)

    async def test_what_is_shunned_is_gone_though_its_key_is_there(self, keys: EpochKeys) -> None:
        await begun(keys)
        key = await wrapped(keys)
        keys.shun([FIRST])
        with pytest.raises(EpochGone):
            await unwrapped(keys, key)
        assert not await is_there(keys, FIRST)
        assert await asked(keys, keys.all) == [FIRST]
