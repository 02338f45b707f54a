"""The suggestion service on real servers for the whole run; every test has persons of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.suggestion.harness import Harness, running_harness
from tests.integration.suggestion.person import Person


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def harness(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    async with running_harness(tmp_path_factory.mktemp("suggestion")) as harness:
        yield harness


@pytest_asyncio.fixture(loop_scope="session")
async def ada(harness: Harness) -> Person:
    return await harness.person()


@pytest_asyncio.fixture(loop_scope="session")
async def ben(harness: Harness) -> Person:
    return await harness.person()
