"""One row that fails, in each of the loops of the clock: the others are done, and it is tried again later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.chassis.database import Pool
from services.chassis.failed_work.set_aside import FIRST_PAUSE
from tests.contract.retention.harness import ADA, BEN, DAY, LOCATION, RetentionHarness


@asynccontextmanager
async def refusing(pool: Pool, operation: str, table: str, condition: str) -> AsyncIterator[None]:
    """Let the database refuse to touch some rows of a table."""
    async with pool.connection() as connection:
        await connection.execute(
            f"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'a fault'; END $$;
            CREATE TRIGGER refusing BEFORE {operation} ON {table} FOR EACH ROW
            WHEN ({condition}) EXECUTE FUNCTION refuse();
            """.encode()
        )
    try:
        yield
    finally:
        async with pool.connection() as connection:
            await connection.execute("DROP FUNCTION refuse CASCADE")


async def left(pool: Pool, table: str) -> int:
    async with pool.connection() as connection:
        cursor = await connection.execute(f"SELECT count(*) FROM {table}".encode())
        ((count,),) = await cursor.fetchall()
    return int(count)


def aside(harness: RetentionHarness) -> list[tuple[str, str]]:
    return [(each.kind, each.reason) for each in harness.set_aside.items.values()]


async def test_one_data_key_that_cannot_be_destroyed_keeps_no_other_from_its_end(
    harness: RetentionHarness, pool: Pool
) -> None:
    await harness.grant()
    first, *_ = await harness.create(*[[]] * 3)
    async with refusing(pool, "DELETE", "data_key", f"OLD.id = '{first.id}'"):
        await harness.tick(31 * DAY)
        assert await left(pool, "data_key") == 1
        assert aside(harness) == [("due_key", "RaiseException")]
    await harness.tick(FIRST_PAUSE)
    assert (await left(pool, "data_key"), aside(harness)) == (0, [])


async def test_one_grant_that_cannot_be_ended_keeps_no_other_from_its_end(
    harness: RetentionHarness, pool: Pool
) -> None:
    for subject in (ADA, BEN):
        await harness.grant(subject, LOCATION, lasts=DAY)
    async with refusing(pool, "DELETE", "purpose_key", f"OLD.subject = '{ADA}'"):
        await harness.tick(2 * DAY)
        assert await left(pool, "purpose_key") == 1
        assert aside(harness) == [("expired_purpose", "RaiseException")]
    await harness.tick(FIRST_PAUSE)
    assert (await left(pool, "purpose_key"), aside(harness)) == (0, [])


async def test_one_order_to_ourselves_that_cannot_be_read_keeps_no_other_from_its_end(
    harness: RetentionHarness, pool: Pool
) -> None:
    for subject in (ADA, BEN):
        await harness.grant(subject)
        await harness.create([], subject=subject)
        await harness.withdraw(subject)
    async with pool.connection() as connection:
        await connection.execute(
            "UPDATE purge_order SET purpose = 'OF_TOMORROW' WHERE service = 'retention' AND subject = %s", (ADA,)
        )
    await harness.tick()
    assert await left(pool, f"data_key WHERE subject = '{BEN}'") == 0
    assert aside(harness) == [("own_order", "ValueError")]
    async with pool.connection() as connection:
        await connection.execute("UPDATE purge_order SET purpose = 'CLOUD_PROCESSING' WHERE purpose = 'OF_TOMORROW'")
    await harness.tick(FIRST_PAUSE)
    assert (await left(pool, "data_key"), aside(harness)) == (0, [])


async def test_one_purpose_key_that_cannot_be_read_keeps_no_other_from_the_new_epoch(
    harness: RetentionHarness, pool: Pool
) -> None:
    for subject in (ADA, BEN):
        await harness.grant(subject)
    async with pool.connection() as connection:
        await connection.execute("UPDATE purpose_key SET purpose = 'OF_TOMORROW' WHERE subject = %s", (ADA,))
    await harness.tick(DAY)
    assert await left(pool, f"purpose_key WHERE subject = '{BEN}' AND epoch = '{harness.epochs.newest}'") == 1
    assert await left(pool, f"purpose_key WHERE subject = '{ADA}' AND epoch < '{harness.epochs.newest}'") == 1
