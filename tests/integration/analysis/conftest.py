"""Real servers for the whole run; every test has persons of its own."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from tests.integration.analysis.harness import Harness, Servers, running_servers

_NUMBERS = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    async with running_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def harness(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Harness]:
    """Retention and analysis as processes; a test that stops one starts it again."""
    harness = Harness(servers, tmp_path_factory.mktemp("harness"))
    await harness.start()
    try:
        await harness.analysis.start()
        yield harness
    finally:
        await harness.close()


@pytest.fixture
def person() -> str:
    return f"person-{next(_NUMBERS)}"
