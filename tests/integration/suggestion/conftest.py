"""The suggestion service on real servers for the whole run; every test has persons of its own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.integration.suggestion.ground import Ground, running_ground
from tests.integration.suggestion.person import Person


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    async with running_ground(tmp_path_factory.mktemp("suggestion")) as ground:
        yield ground


@pytest_asyncio.fixture(loop_scope="session")
async def ada(ground: Ground) -> Person:
    return await ground.person()


@pytest_asyncio.fixture(loop_scope="session")
async def ben(ground: Ground) -> Person:
    return await ground.person()
