"""Transactions whose answer is lost between the server and the driver: what was stored keeps its keys."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from psycopg import OperationalError
from pydantic import SecretStr

from services.chassis.database import open_pool
from services.chassis.settings import DatabaseSettings
from services.keyring import Purpose
from services.suggestion.operations.open_suggestions import open_all
from services.suggestion.operations.refresh import refresh
from services.suggestion.store.database import Database
from tests.fakes.network import FaultyNetwork, faulty_network, port_of, through
from tests.integration.suggestion.test_store import TABLES, settings
from tests.unit.suggestion.harness import ALICE, Harness
from tests.unit.suggestion.photos import series

__all__ = ["settings"]


@pytest.fixture
async def network(settings: DatabaseSettings) -> AsyncIterator[FaultyNetwork]:
    async with faulty_network(port_of(settings.database_url.get_secret_value())) as network:
        yield network


@pytest.fixture
async def lossy(settings: DatabaseSettings, network: FaultyNetwork) -> AsyncIterator[Harness]:
    """Use cases on the real database behind the network."""
    url = SecretStr(through(settings.database_url.get_secret_value(), network))
    async with open_pool(DatabaseSettings(database_url=url)) as pool:
        async with pool.connection() as connection:
            await connection.execute(f"TRUNCATE {TABLES}")
        harness = Harness()
        harness.dependencies = replace(harness.dependencies, database=Database(pool))
        harness.analyze(ALICE, series(5))
        yield harness
        await harness.dependencies.cleanup.finish()


@pytest.mark.parametrize("answered", range(6))
async def test_suggestions_that_were_stored_keep_their_keys(
    lossy: Harness, network: FaultyNetwork, answered: int
) -> None:
    network.lose_answer(b"COMMIT", after=answered)
    try:
        await refresh(lossy.dependencies, subject=ALICE)
    except OperationalError:
        assert network.has_lost
    network.lose_nothing()
    await lossy.dependencies.cleanup.finish()
    await everything_stored_opens(lossy)
    await refresh(lossy.dependencies, subject=ALICE)
    await everything_stored_opens(lossy)
    assert await open_all(lossy.dependencies, subject=ALICE)


async def everything_stored_opens(harness: Harness) -> None:
    async with harness.dependencies.database.transaction() as store:
        rows = await store.suggestions.of_person(ALICE)
        renditions = await store.suggestions.renditions([row.id for row in rows])
    ids = {str(row.data_key_id) for row in rows} | {str(row.data_key_id) for row in renditions}
    opened = await harness.keyring.open(subject=ALICE, purpose=Purpose.CLOUD_PROCESSING, ids=list(ids))
    assert set(opened) == ids
    assert {row.object for row in renditions} <= {name for _, name in harness.objects.objects}
