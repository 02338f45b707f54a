"""A disk that fills while a stack runs: uploads wait, nothing ends for good, and room is all that it takes."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local.home import StackHome
from deploy.local.leftovers import is_running
from tests.e2e.harness import RunningStack
from tests.e2e.pictures import now, save, sources

pytestmark = pytest.mark.timeout(900)

WHO, GRANT = "crowded", "CLOUD_PROCESSING"
PATIENCE = 300.0
FULL_SECONDS = 20.0
"""Long enough for every part to be started several times in vain."""
DISK = "800m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk can be mounted by root alone, and not everywhere")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def crowded(small_disk: Path) -> Iterator[RunningStack]:
    stack = RunningStack(StackHome(small_disk / "home"))
    started = stack.run("up")
    assert started.returncode == 0, started.stderr
    yield stack
    assert stack.run("down").returncode == 0


def roll(folder: Path, name: str) -> Path:
    folder.mkdir()
    save(folder / f"{name}.jpg", sources()[name], now() - timedelta(days=1))
    return folder


def fill(disk: Path, *, left: int = 64 << 10) -> Path:
    filler, size = disk / "filler", 0
    end = time.monotonic() + PATIENCE
    while shutil.disk_usage(disk).free > left:
        assert time.monotonic() < end
        with filler.open("ab") as file, contextlib.suppress(OSError):  # the stack was quicker
            os.posix_fallocate(file.fileno(), size, shutil.disk_usage(disk).free - left)
        size = filler.stat().st_size
    return filler


def restarts(stack: RunningStack, name: str) -> int:
    return next(part.restarts for part in stack.state.parts if part.part == name)


def kill(stack: RunningStack, name: str) -> None:
    process = next(part.process for part in stack.state.parts if part.part == name)
    assert process is not None
    os.killpg(process.pid, signal.SIGKILL)


def test_a_full_disk_puts_uploads_off_and_nothing_else(crowded: RunningStack, small_disk: Path, tmp_path: Path) -> None:
    crowded.rows("import", str(roll(tmp_path / "before", "cat")), "--subject", WHO, "--grant", GRANT)
    supervisor, later = crowded.state.supervisor, roll(tmp_path / "later", "coffee")
    filler = fill(small_disk)
    kill(crowded, "nats")
    refused = crowded.failure("import", str(later), "--subject", WHO, "--grant", GRANT)
    kept = crowded.findings(WHO)
    held, restarted = crowded.state.supervisor, restarts(crowded, "seaweedfs")
    filler.unlink()
    assert refused["reason"] == "IMPORT_INCOMPLETE"
    assert "STORAGE_FULL" in str(refused["message"])
    assert (held, restarted, list(kept)) == (supervisor, 0, ["cat.jpg"])
    until_imported(crowded, later)
    assert crowded.state.supervisor == supervisor


def test_a_stack_outlives_a_disk_without_a_byte_left_whatever_dies_then(
    crowded: RunningStack, small_disk: Path, tmp_path: Path
) -> None:
    before = {part.part: part.restarts for part in crowded.state.parts}
    supervisor = crowded.state.supervisor
    filler = fill(small_disk, left=0)
    for part in before:
        kill(crowded, part)
    time.sleep(FULL_SECONDS)
    assert is_running(supervisor)
    filler.unlink()
    until(lambda: all(part.ready and part.restarts > before[part.part] for part in crowded.state.parts))
    assert crowded.state.supervisor == supervisor
    until_imported(crowded, roll(tmp_path / "later", "coffee"))


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def until_imported(stack: RunningStack, folder: Path) -> None:
    end = time.monotonic() + PATIENCE
    while stack.run("import", str(folder), "--subject", WHO, "--grant", GRANT).returncode != 0:
        assert time.monotonic() < end, stack.state
