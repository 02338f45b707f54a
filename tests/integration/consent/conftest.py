"""A real PostgreSQL, a real NATS and a real retention service for the whole run; consent is new for every test."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.parts.nats import nats_server
from deploy.local.parts.postgres import postgres_server
from services.chassis.database import Pool, migrate, open_pool
from services.chassis.messaging.bus import Bus, connect_bus
from tests.contract.consent.store_suite import FOLDER
from tests.integration.consent.harness import Harness, Person, Retention, RunningConsent, running_consent

_SERVICES = ["consent", "retention", "ingest"]
_TABLES = (
    "consent_event, request, pending_change, notice_serving, person, notice, policy,"
    " outbox, inbox, dead_letter, set_aside"
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    folder = tmp_path_factory.mktemp("harness")
    async with postgres_server(folder, _SERVICES) as postgres, nats_server(folder, _SERVICES) as nats:
        made = Harness(folder, postgres, nats)
        await migrate(made.settings(), FOLDER / "migrations")
        yield made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running_retention(harness: Harness) -> AsyncIterator[Retention]:
    retention = Retention(harness)
    await retention.start()
    try:
        yield retention
    finally:
        await retention.stop()


@pytest.fixture
async def pool(harness: Harness) -> AsyncIterator[Pool]:
    async with open_pool(harness.settings()) as pool:
        async with pool.connection() as connection:
            await connection.execute(f"TRUNCATE {_TABLES}")
        yield pool


@pytest.fixture
async def bus(harness: Harness) -> AsyncIterator[Bus]:
    async with connect_bus(harness.settings()) as bus:
        await bus.ensure_stream("CONSENT", ["pellicule.internal.consent.v1.>"])
        yield bus


@pytest.fixture
async def consent(
    harness: Harness, running_retention: Retention, pool: Pool, bus: Bus
) -> AsyncIterator[RunningConsent]:
    async with running_consent(harness, pool, bus) as running:
        yield running


@pytest.fixture
def ada(consent: RunningConsent) -> Person:
    return consent.person()


@pytest.fixture
def ben(consent: RunningConsent) -> Person:
    return consent.person()
