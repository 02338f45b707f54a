"""Real servers for the whole run; every test has persons of its own."""

from collections.abc import AsyncIterator
from itertools import count

import pytest
import pytest_asyncio

from tests.integration.analysis.ground import Ground, Servers, running_servers

_NUMBERS = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    async with running_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ground(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    """Retention and analysis as processes; whoever stops one starts it again."""
    ground = Ground(servers, tmp_path_factory.mktemp("ground"))
    await ground.start()
    try:
        await ground.analysis.start()
        yield ground
    finally:
        await ground.close()


@pytest.fixture
def person() -> str:
    return f"person-{next(_NUMBERS)}"
