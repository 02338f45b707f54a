"""Calls that meet: destructions against openings, creations and each other, on the real database."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from services.chassis.database import Pool
from services.chassis.settings import DatabaseSettings
from services.retention.domain import OpenKey
from services.retention.errors import MediaErased, MediaNotFound, PurposeNotGranted, RevisionStale
from services.retention.operations.clocks import rotate_epochs
from tests.contract.retention.ground import ADA, DAY, LOCATION, OLDER, Ground

ROUNDS = 8


async def test_no_opening_that_starts_after_a_withdrawal_returned_succeeds(ground: Ground) -> None:
    for _ in range(ROUNDS):
        await ground.grant()
        keys = await ground.create([], [])
        withdrawn = asyncio.Event()

        async def open_until_refused(keys: list[OpenKey] = keys, withdrawn: asyncio.Event = withdrawn) -> None:
            while True:
                too_late = withdrawn.is_set()
                try:
                    opened = await ground.open(*keys)
                except PurposeNotGranted:
                    return
                assert not too_late, f"{len(opened)} keys opened after the withdrawal had returned"

        openers = [asyncio.create_task(open_until_refused()) for _ in range(4)]
        await asyncio.sleep(random.random() / 50)
        await ground.withdraw()
        withdrawn.set()
        await asyncio.gather(*openers)


async def test_a_creation_comes_before_a_withdrawal_or_not_at_all(ground: Ground, pool: Pool) -> None:
    for _ in range(ROUNDS):
        await ground.grant()
        attempts = [ground.create([], owner=owner) for owner in ("ingest", "analysis", "suggestion") * 2]
        outcomes = await asyncio.gather(*shuffled(*attempts, ground.withdraw()), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert all(isinstance(error, PurposeNotGranted) for error in refused)
        await ground.tick()
        assert await leftovers(pool) == 0


async def test_nothing_derives_from_a_media_once_its_erasure_returned(ground: Ground, pool: Pool) -> None:
    await ground.grant()
    await ground.grant(purpose=LOCATION)
    for _ in range(ROUNDS):
        media = await ground.media()
        attempts = [ground.create([uuid4(), media], owner="suggestion") for _ in range(4)]
        located = [ground.create([media], owner="ingest", purpose=LOCATION) for _ in range(2)]
        outcomes = await asyncio.gather(*shuffled(*attempts, *located, ground.erase(media)), return_exceptions=True)
        assert all(isinstance(outcome, MediaErased) for outcome in outcomes if isinstance(outcome, Exception)), outcomes
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) FROM data_key WHERE %s = ANY(lineage)", [media])
            assert await cursor.fetchone() == (0,)


async def test_what_derives_from_older_media_dies_with_their_consent_whenever_it_was_created(
    ground: Ground, pool: Pool
) -> None:
    await ground.grant()
    for _ in range(ROUNDS):
        await ground.grant(purpose=OLDER)
        media = await ground.media(purpose=OLDER)
        attempts = [ground.create([media], owner="analysis") for _ in range(4)]
        withdrawal = ground.withdraw(ADA, OLDER)
        outcomes = await asyncio.gather(*shuffled(*attempts, withdrawal, ground.tick()), return_exceptions=True)
        assert all(isinstance(outcome, MediaErased) for outcome in outcomes if isinstance(outcome, Exception))
        await ground.tick()
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) FROM data_key WHERE %s = ANY(lineage)", [media])
            assert await cursor.fetchone() == (0,)


async def test_the_highest_consent_revision_wins_in_whatever_order_decisions_come(ground: Ground) -> None:
    for _ in range(ROUNDS):
        base = ground.revision
        decisions: list[Callable[[], Awaitable[object]]] = [
            lambda base=base: ground.grant(revision=base + 1),  # type: ignore[misc]
            lambda base=base: ground.withdraw(revision=base + 2),  # type: ignore[misc]
            lambda base=base: ground.grant(revision=base + 3),  # type: ignore[misc]
            lambda base=base: ground.withdraw(revision=base + 4),  # type: ignore[misc]
        ]
        outcomes = await asyncio.gather(*shuffled(*(decision() for decision in decisions)), return_exceptions=True)
        assert all(isinstance(outcome, RevisionStale) for outcome in outcomes if isinstance(outcome, Exception))
        with pytest.raises(PurposeNotGranted):
            await ground.create([])


async def test_the_same_erasure_asked_for_many_times_at_once_is_one(ground: Ground) -> None:
    await ground.grant()
    media, request_id = await ground.media(), uuid4()
    erasures = await asyncio.gather(*(ground.erase(media, request_id=request_id) for _ in range(6)))
    assert len(set(erasures)) == 1
    assert len(await ground.orders("ingest")) == 1


async def test_reports_that_come_at_once_finish_the_erasure(ground: Ground) -> None:
    await ground.grant()
    for _ in range(ROUNDS):
        media = await ground.media()
        erasure = await ground.erase(media)
        orders = [(await ground.orders(service))[0] for service in ("ingest", "analysis", "suggestion")]
        await asyncio.gather(*(ground.complete(order) for order in orders))
        assert (await ground.erasure(erasure))[0].purge_time is not None


async def test_deadlines_meet_erasures_without_a_deadlock(ground: Ground) -> None:
    await ground.grant(lasts=100 * DAY)
    for _ in range(ROUNDS):
        media = [await ground.media(lasts=DAY) for _ in range(3)]
        ground.clock.set(ground.clock.now() + DAY)
        outcomes = await asyncio.gather(
            *shuffled(ground.tick(), ground.tick(), *(ground.erase(one) for one in media)), return_exceptions=True
        )
        assert all(isinstance(outcome, MediaNotFound) for outcome in outcomes if isinstance(outcome, Exception))


async def test_two_processes_turn_the_day_together(ground: Ground, database: DatabaseSettings) -> None:
    for purpose in (LOCATION, OLDER):
        await ground.grant(purpose=purpose)
    [key] = await ground.create([], purpose=LOCATION)
    for _ in range(10):
        ground.clock.set(ground.clock.now() + DAY)
        await asyncio.gather(
            *(rotate_epochs(store=ground.store, epoch_keys=ground.epochs, clock=ground.clock) for _ in range(3)),
            ground.grant(purpose=LOCATION),
        )
        assert await ground.can_open(key, purpose=LOCATION)


def shuffled(*calls: Awaitable[object]) -> list[Awaitable[object]]:
    return random.sample(calls, len(calls))


async def leftovers(pool: Pool) -> int:
    """Returns how many data keys have no purpose key."""
    async with pool.connection() as connection:
        cursor = await connection.execute(
            """
            SELECT count(*) FROM data_key WHERE NOT EXISTS (
                SELECT FROM purpose_key WHERE purpose_key.revision = data_key.purpose_revision
            )
            """
        )
        [(count,)] = await cursor.fetchall()
        return int(count)
