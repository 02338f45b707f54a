"""One stack for the whole run, and a roll."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.home import StackHome
from inference.model_build import build as models
from tests.e2e.harness import RunningStack
from tests.e2e.pictures import make_roll


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    models.build_all(models.default_home())
    running = RunningStack(StackHome(tmp_path_factory.mktemp("stack") / "home"))
    started = running.run("up")
    assert started.returncode == 0, started.stderr
    yield running
    stopped = running.run("down")
    assert stopped.returncode == 0, stopped.stderr


@pytest.fixture(scope="session")
def roll(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_roll(tmp_path_factory.mktemp("roll"))
