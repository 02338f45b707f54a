"""Transactions whose answer is lost between the server and the driver: what was stored keeps its keys."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
import pytest_asyncio
from psycopg import OperationalError
from pydantic import SecretStr

from services.analysis.domain.pace import Pace
from services.analysis.worker import Worker
from services.chassis.database import Pool, open_pool
from services.chassis.settings import DatabaseSettings
from tests.fakes.network import FaultyNetwork, faulty_network, port_of, through
from tests.fakes.set_aside import FakeSetAside
from tests.integration.analysis.test_stores import PostgresTables, database, pool
from tests.unit.analysis.harness import ANN, EVERYTHING, Harness

__all__ = ["database", "pool"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


class LossyHarness(Harness):
    """The worker on the real tables."""

    def __init__(self, tables: PostgresTables) -> None:
        super().__init__()
        self.tables = tables
        self.dependencies = replace(self.dependencies, work=tables, metadata=tables, library=tables, purge=tables)
        self.worker = Worker(self.dependencies, Pace(batch=2, in_hand=4), FakeSetAside())


@pytest_asyncio.fixture(loop_scope="session")
async def network(database: DatabaseSettings) -> AsyncIterator[FaultyNetwork]:
    async with faulty_network(port_of(database.database_url.get_secret_value())) as network:
        yield network


@pytest_asyncio.fixture(loop_scope="session")
async def lossy(
    database: DatabaseSettings,
    pool: Pool,
    network: FaultyNetwork,
) -> AsyncIterator[LossyHarness]:
    url = SecretStr(through(database.database_url.get_secret_value(), network))
    async with open_pool(DatabaseSettings(database_url=url)) as behind:
        harness = LossyHarness(PostgresTables(behind))
        harness.keyring.grant(ANN, *EVERYTHING)
        yield harness


@pytest.mark.parametrize("answered", range(6))
async def test_findings_that_were_stored_keep_their_keys(
    lossy: LossyHarness,
    network: FaultyNetwork,
    pool: Pool,
    answered: int,
) -> None:
    media = await lossy.bring_in()
    await lossy.tables.announce(media, lossy.clock.now())
    network.lose_answer(b"COMMIT", after=answered)
    with suppress(OperationalError):
        await lossy.work()
    network.lose_nothing()
    await everything_stored_opens(lossy, pool)
    for _ in range(3):
        await lossy.work_in(1200)
    await everything_stored_opens(lossy, pool)
    (analysis,) = await lossy.known()
    assert analysis.scene


async def everything_stored_opens(harness: LossyHarness, pool: Pool) -> None:
    async with pool.connection() as connection:
        found = await connection.execute(
            "SELECT data_key_id::text, purpose FROM findings"
            " UNION SELECT data_key_id::text, 'CLOUD_PROCESSING' FROM previews"
        )
        keys = await found.fetchall()
        previews = await (await connection.execute("SELECT object FROM previews")).fetchall()
    for key, purpose in keys:
        assert await harness.keyring.open(subject=ANN, purpose=purpose, ids=[key])
    assert {name for (name,) in previews} <= await harness.previews()
