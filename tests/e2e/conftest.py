"""One stack for the whole run, and a roll."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.home import StackHome
from inference.model_build import build as models
from tests.e2e.harness import RunningStack
from tests.e2e.marked import leave_marks
from tests.e2e.pictures import make_roll
from tests.fakes.otlp_collector import OtlpCollector, collecting

PATIENCE_SECONDS = 180.0
GAUGES_SECONDS = 40.0
"""What is counted in databases, on the bus and on the disk is looked at each 30 s."""


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


def leave_to_the_worker(stack: RunningStack, folder: Path) -> None:
    """Bring a roll in and ask for no ideas: they come by the events alone."""
    stack.rows("import", str(make_roll(folder / "roll")), "--subject", "patient", "--grant", "CLOUD_PROCESSING")
    until = time.monotonic() + PATIENCE_SECONDS
    while not stack.rows_of("suggestion", "patient")["suggestion"]:
        assert time.monotonic() < until
        time.sleep(0.5)


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[OtlpCollector, RunningStack]:
    """Run a stack whose every call is traced, fill it with markers, and stop it, so that all is written and sent."""
    stack = RunningStack(StackHome(tmp_path_factory.mktemp("marked") / "home"))
    with collecting() as (collector, endpoint), pytest.MonkeyPatch.context() as patch:
        patch.setenv("PELLICULE_TRACE_RATIO", "1")
        patch.setenv("PELLICULE_LOG_LEVEL", "DEBUG")
        started = stack.run("up", "--observe", endpoint)
        assert started.returncode == 0, started.stderr
        try:
            leave_marks(stack, tmp_path_factory.mktemp("marked-roll"))
            leave_to_the_worker(stack, tmp_path_factory.mktemp("left-roll"))
            time.sleep(GAUGES_SECONDS)
        finally:
            stopped = stack.run("down")
        assert stopped.returncode == 0, stopped.stderr
    return collector, stack
