"""The real tables, by the suite that the fake ones pass, and what only a database can show."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
import pytest_asyncio
from pydantic import SecretStr

import services.analysis
from deploy.local.parts.postgres import postgres_server
from pellicule.analysis.v1 import analysis_pb2
from pellicule.internal.analysis.v1 import media_analyzed_pb2
from services.analysis.store.claimers import Claimer
from services.analysis.store.library import LibraryStore
from services.analysis.store.metadata import MetadataStore
from services.analysis.store.purge import PurgeStore
from services.analysis.store.work import WorkStore
from services.analysis.translation import events
from services.chassis.clock import SystemClock
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.failed_work.set_aside import PostgresSetAside
from services.chassis.settings import DatabaseSettings
from services.chassis.supervision import supervised
from tests.contract.analysis.store_suite import (
    ANN,
    CLOUD,
    LOCATION,
    MINUTE,
    NOW,
    StoreSuite,
    claim_all,
    counts,
    done,
    kept,
    result,
    stored,
)
from tests.integration.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


class PostgresTables(WorkStore, MetadataStore, LibraryStore, PurgeStore):
    """All stores on one pool."""

    def __init__(self, pool: Pool) -> None:
        WorkStore.__init__(self, pool, events.media_analyzed, PostgresSetAside(pool), Claimer(pool, SystemClock()))

    async def changes(self, subject: str) -> list[tuple[str, bool, int]]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT resource, deleted, sequence FROM change_feed WHERE subject = %s ORDER BY sequence", (subject,)
            )
            return await cursor.fetchall()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DatabaseSettings]:
    async with postgres_server(tmp_path_factory.mktemp("postgres"), ["analysis"]) as server:
        settings = DatabaseSettings(database_url=SecretStr(server.url("analysis")))
        await migrate(settings, Path(services.analysis.__file__).parent / "migrations")
        yield settings


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database: DatabaseSettings) -> AsyncIterator[Pool]:
    async with open_pool(database) as pool:
        async with pool.connection() as connection:
            await connection.execute(
                "TRUNCATE media, findings, previews, fence, tombstone, outbox, change_head, change_feed CASCADE"
            )
        yield pool


@pytest.fixture
def tables(pool: Pool) -> PostgresTables:
    return PostgresTables(pool)


class TestPostgresTables(StoreSuite):
    pass


async def test_a_committed_media_is_told_of_in_the_same_transaction(tables: PostgresTables, pool: Pool) -> None:
    sealed = await done(tables)
    async with pool.connection() as connection:
        rows = await (await connection.execute("SELECT type, subject, body FROM outbox")).fetchall()
    message = media_analyzed_pb2.MediaAnalyzed.FromString(rows[0][2])
    name = sealed.claim.stored.name
    assert [row[:2] for row in rows] == [("pellicule.internal.analysis.v1.MediaAnalyzed", name)]
    assert (message.subject, message.media, message.state) == (ANN, name, analysis_pb2.ANALYSIS_STATE_DONE)


async def test_workers_that_claim_at_once_share_the_work(tables: PostgresTables) -> None:
    for _ in range(40):
        await tables.announce(stored(), NOW)
    shares = await asyncio.gather(*(tables.claim(limit=10, now=NOW, until=NOW + MINUTE) for _ in range(4)))
    claimed = [claim.stored.media for share in shares for claim in share]
    assert len(claimed) == len(set(claimed)) == 40


async def test_results_and_withdrawals_that_race_leave_nothing_behind(tables: PostgresTables) -> None:
    for _ in range(10):
        await tables.announce(stored(revision=1), NOW)
    claims = await claim_all(tables)
    commits = (tables.commit([result(claim, CLOUD, LOCATION, revision=1)], NOW) for claim in claims)
    await asyncio.gather(*commits, tables.fence_purpose(ANN, LOCATION, 1))
    assert LOCATION not in await kept(tables)


async def test_results_and_erasures_that_race_leave_nothing_behind(tables: PostgresTables) -> None:
    for _ in range(10):
        await tables.announce(stored(revision=1), NOW)
    claims = await claim_all(tables)

    async def erase() -> None:
        deletion, _ = await tables.fence_subject(ANN, 1, [CLOUD, LOCATION])
        await tables.delete_media(ANN, deletion)

    commits = (tables.commit([result(claim, CLOUD, revision=1)], NOW) for claim in claims)
    await asyncio.gather(*commits, erase())
    assert (await counts(tables), await kept(tables)) == ((0, 0, 0), set())


async def test_a_state_without_its_reason_cannot_be_written(pool: Pool, tables: PostgresTables) -> None:
    await done(tables)
    with pytest.raises(psycopg.errors.CheckViolation):
        async with pool.connection() as connection:
            await connection.execute("UPDATE media SET state = 'PARKED'")


async def test_claims_of_a_process_that_is_gone_are_free_at_once_and_no_others(pool: Pool) -> None:
    clock, tables = SystemClock(), PostgresTables(pool)
    dead, alive = Claimer(pool, clock), Claimer(pool, clock)
    async with supervised([alive.run]):
        dying = asyncio.create_task(dead.run())
        for claimer in (dead, alive):
            await eventually(partial(held, claimer))
            await tables.announce(stored(), clock.now())
            work = WorkStore(pool, events.media_analyzed, PostgresSetAside(pool), claimer)
            assert len(await work.claim(limit=1, now=clock.now(), until=clock.now() + timedelta(minutes=1))) == 1
        assert await alive.free_abandoned() == 0
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
        again = await eventually(
            lambda: tables.claim(limit=2, now=clock.now(), until=clock.now() + timedelta(minutes=1))
        )
    assert [claim.faults for claim in again] == [1]


async def held(claimer: Claimer) -> bool:
    return claimer.number is not None
