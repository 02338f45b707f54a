"""Calls that meet: destructions against openings, creations and each other, on the real database."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from services.chassis.database import Pool
from services.chassis.settings import DatabaseSettings
from services.retention.domain.keys import OpenKey
from services.retention.errors import MediaErased, MediaNotFound, PurposeNotGranted, RevisionStale
from services.retention.operations.rotate_epochs import rotate_epochs
from tests.contract.retention.harness import ADA, DAY, LOCATION, OLDER, RetentionHarness

ROUNDS = 8


async def test_no_opening_that_starts_after_a_withdrawal_returned_succeeds(harness: RetentionHarness) -> None:
    for _ in range(ROUNDS):
        await harness.grant()
        keys = await harness.create([], [])
        withdrawn = asyncio.Event()

        async def open_until_refused(keys: list[OpenKey] = keys, withdrawn: asyncio.Event = withdrawn) -> None:
            while True:
                too_late = withdrawn.is_set()
                try:
                    opened = await harness.open(*keys)
                except PurposeNotGranted:
                    return
                assert not too_late, f"{len(opened)} keys opened after the withdrawal had returned"

        openers = [asyncio.create_task(open_until_refused()) for _ in range(4)]
        await asyncio.sleep(random.random() / 50)
        await harness.withdraw()
        withdrawn.set()
        await asyncio.gather(*openers)


async def test_a_creation_comes_before_a_withdrawal_or_not_at_all(harness: RetentionHarness, pool: Pool) -> None:
    for _ in range(ROUNDS):
        await harness.grant()
        attempts = [harness.create([], owner=owner) for owner in ("ingest", "analysis", "suggestion") * 2]
        outcomes = await asyncio.gather(*shuffled(*attempts, harness.withdraw()), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert all(isinstance(error, PurposeNotGranted) for error in refused)
        await harness.tick()
        assert await leftovers(pool) == 0


async def test_nothing_derives_from_a_media_once_its_erasure_returned(harness: RetentionHarness, pool: Pool) -> None:
    await harness.grant()
    await harness.grant(purpose=LOCATION)
    for _ in range(ROUNDS):
        media = await harness.media()
        attempts = [harness.create([uuid4(), media], owner="suggestion") for _ in range(4)]
        located = [harness.create([media], owner="ingest", purpose=LOCATION) for _ in range(2)]
        outcomes = await asyncio.gather(*shuffled(*attempts, *located, harness.erase(media)), return_exceptions=True)
        assert all(isinstance(outcome, MediaErased) for outcome in outcomes if isinstance(outcome, Exception)), outcomes
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) FROM data_key WHERE %s = ANY(lineage)", [media])
            assert await cursor.fetchone() == (0,)


async def test_what_derives_from_older_media_dies_with_their_consent_whenever_it_was_created(
    harness: RetentionHarness, pool: Pool
) -> None:
    await harness.grant()
    for _ in range(ROUNDS):
        await harness.grant(purpose=OLDER)
        media = await harness.media(purpose=OLDER)
        attempts = [harness.create([media], owner="analysis") for _ in range(4)]
        withdrawal = harness.withdraw(ADA, OLDER)
        outcomes = await asyncio.gather(*shuffled(*attempts, withdrawal, harness.tick()), return_exceptions=True)
        assert all(isinstance(outcome, MediaErased) for outcome in outcomes if isinstance(outcome, Exception))
        await harness.tick()
        async with pool.connection() as connection:
            cursor = await connection.execute("SELECT count(*) FROM data_key WHERE %s = ANY(lineage)", [media])
            assert await cursor.fetchone() == (0,)


async def test_the_highest_consent_revision_wins_in_whatever_order_decisions_come(harness: RetentionHarness) -> None:
    for _ in range(ROUNDS):
        base = harness.revision
        decisions: list[Callable[[], Awaitable[object]]] = [
            lambda base=base: harness.grant(revision=base + 1),  # type: ignore[misc]
            lambda base=base: harness.withdraw(revision=base + 2),  # type: ignore[misc]
            lambda base=base: harness.grant(revision=base + 3),  # type: ignore[misc]
            lambda base=base: harness.withdraw(revision=base + 4),  # type: ignore[misc]
        ]
        outcomes = await asyncio.gather(*shuffled(*(decision() for decision in decisions)), return_exceptions=True)
        assert all(isinstance(outcome, RevisionStale) for outcome in outcomes if isinstance(outcome, Exception))
        with pytest.raises(PurposeNotGranted):
            await harness.create([])


async def test_the_same_erasure_asked_for_many_times_at_once_is_one(harness: RetentionHarness) -> None:
    await harness.grant()
    media, request_id = await harness.media(), uuid4()
    erasures = await asyncio.gather(*(harness.erase(media, request_id=request_id) for _ in range(6)))
    assert len(set(erasures)) == 1
    assert len(await harness.orders("ingest")) == 1


async def test_reports_that_come_at_once_finish_the_erasure(harness: RetentionHarness) -> None:
    await harness.grant()
    for _ in range(ROUNDS):
        media = await harness.media()
        erasure = await harness.erase(media)
        orders = [(await harness.orders(service))[0] for service in ("ingest", "analysis", "suggestion")]
        await asyncio.gather(*(harness.complete(order) for order in orders))
        assert (await harness.erasure(erasure))[0].purge_time is not None


async def test_deadlines_meet_erasures_without_a_deadlock(harness: RetentionHarness) -> None:
    await harness.grant(lasts=100 * DAY)
    for _ in range(ROUNDS):
        media = [await harness.media(lasts=DAY) for _ in range(3)]
        harness.clock.set(harness.clock.now() + DAY)
        outcomes = await asyncio.gather(
            *shuffled(harness.tick(), harness.tick(), *(harness.erase(one) for one in media)), return_exceptions=True
        )
        assert all(isinstance(outcome, MediaNotFound) for outcome in outcomes if isinstance(outcome, Exception))


async def test_two_processes_turn_the_day_together(harness: RetentionHarness, database: DatabaseSettings) -> None:
    for purpose in (LOCATION, OLDER):
        await harness.grant(purpose=purpose)
    [key] = await harness.create([], purpose=LOCATION)
    for _ in range(10):
        harness.clock.set(harness.clock.now() + DAY)
        await asyncio.gather(
            *(rotate_epochs(harness.dependencies) for _ in range(3)),
            harness.grant(purpose=LOCATION),
        )
        assert await harness.can_open(key, purpose=LOCATION)


def shuffled(*calls: Awaitable[object]) -> list[Awaitable[object]]:
    return random.sample(calls, len(calls))


async def leftovers(pool: Pool) -> int:
    """Return how many data keys have no purpose key."""
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
