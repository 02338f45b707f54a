import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from services.chassis import person_leases
from services.chassis.database import Pool
from services.chassis.person_leases import PersonLeases, TurnTaken


@pytest.fixture
def given(pool: Pool) -> PersonLeases:
    return PersonLeases(pool, wait_seconds=0.3)


async def count(pool: Pool, query: str) -> int:
    async with pool.connection() as connection:
        return (await connection.execute(query.encode())).rowcount


async def test_long_work_on_a_person_keeps_others_out_and_holds_no_connection(given: PersonLeases, pool: Pool) -> None:
    async with given.of("ada"), given.of("bob"):
        with pytest.raises(TurnTaken) as taken:
            async with given.of("ada"):
                pass
        idle = pool.get_stats()["pool_available"]
        assert idle == pool.get_stats()["pool_size"]
        assert await count(pool, "SELECT FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'") == 0
    assert taken.value.retry_after is not None
    async with given.of("ada"):
        pass
    assert await count(pool, "SELECT FROM turn") == 0


async def test_who_is_overtaken_can_do_nothing_more(given: PersonLeases) -> None:
    async with given.of("ada") as slow:
        async with slow.transaction():
            pass
        async with given.of("ada", patience=timedelta(seconds=0.1)) as fast:
            with pytest.raises(TurnTaken):
                async with slow.transaction():
                    pass
            async with fast.transaction():
                pass


async def test_a_transaction_under_way_is_waited_for(given: PersonLeases, pool: Pool) -> None:
    seen = []

    async def overtake() -> None:
        async with given.of("ada", patience=timedelta(0)):
            seen.append("overtaken")

    async with given.of("ada") as slow:
        async with slow.transaction():
            overtaking = asyncio.create_task(overtake())
            await asyncio.sleep(0.2)
            seen.append("committed")
        await overtaking
    assert seen == ["committed", "overtaken"]


async def test_the_turn_of_a_dead_process_ends_by_itself(given: PersonLeases, pool: Pool) -> None:
    async with pool.connection() as connection:
        await connection.execute(
            "INSERT INTO turn VALUES "
            "(hashtextextended('ada', 1), gen_random_uuid(), now(), now() - interval '1 second'), "
            "(1, gen_random_uuid(), now(), now() - interval '2 hours')"
        )
    async with given.of("ada"):
        pass
    assert await count(pool, "SELECT FROM turn") == 0


async def test_a_turn_is_prolonged_while_the_work_goes_on(given: PersonLeases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_leases, "_RENEW_SECONDS", 0.05)
    monkeypatch.setattr(person_leases, "LEASE", person_leases.LEASE / 20)
    async with given.of("ada") as turn:
        await asyncio.sleep(1.2)
        with pytest.raises(TurnTaken):
            async with given.of("ada"):
                pass
        async with turn.transaction():
            pass


async def test_long_work_that_is_cancelled_at_any_moment_leaves_the_person_free(given: PersonLeases) -> None:
    async def work(subject: str) -> None:
        async with given.of(subject) as turn, turn.transaction() as connection:
            await connection.execute("SELECT pg_sleep(0.005)")

    for attempt in range(60):
        subject = f"ada-{attempt}"
        first, second = asyncio.create_task(work(subject)), asyncio.create_task(work(subject))
        await asyncio.wait([second], timeout=0.0005 * attempt)
        second.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(first, second, return_exceptions=True)
        await work(subject)
