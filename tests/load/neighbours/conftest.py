from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.load.neighbours.site import Site, running_site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with running_site(tmp_path_factory.mktemp("neighbours")) as site:
        yield site
