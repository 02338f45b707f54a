"""One mesh for the whole run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from inference.model_build import build as models
from tests.e2e.pictures import make_roll
from tests.integration.mesh.harness import Mesh, running_mesh


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mesh(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mesh]:
    models.build_all(models.default_home())
    async with running_mesh(tmp_path_factory.mktemp("mesh")) as mesh:
        yield mesh


@pytest.fixture(scope="session")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_roll(tmp_path_factory.mktemp("roll"))
