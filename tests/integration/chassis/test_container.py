"""Told to stop while it starts, a process of a container ends at once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil
import pytest

CONTAINER = ("services.chassis.container",)
_FIRST = ("unshare", "--pid", "--fork", "--kill-child", "--")
"""Makes what follows the first process of a space of its own, as a container does."""
_SERVER = ("http.server", "--bind", "127.0.0.1", "0")
"""A module that is content with how the system ends processes."""


def _may_be_first() -> bool:
    may_unshare = os.geteuid() == 0 and shutil.which("unshare")
    return bool(may_unshare) and subprocess.run((*_FIRST, "true"), check=False, capture_output=True).returncode == 0


@contextmanager
def running(*before: str, through: Sequence[str] = ()) -> Iterator[tuple[subprocess.Popen[bytes], psutil.Process]]:
    """Run the server, and give what was started and the interpreter in it."""
    command = (*before, sys.executable, "-u", "-m", *through, *_SERVER)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as started:
        try:
            assert started.stdout is not None
            assert b"Serving" in started.stdout.readline()
            own = psutil.Process(started.pid)
            yield started, (own.children() or [own])[0]
        finally:
            started.kill()


def test_it_ends_as_one_that_was_told_to() -> None:
    with running(through=CONTAINER) as (started, process):
        process.terminate()
        assert started.wait(20) == 0


@pytest.mark.skipif(not _may_be_first(), reason="a space of processes of its own is for root")
class TestFirstProcess:
    def test_the_kernel_does_not_end_it(self) -> None:
        with running(*_FIRST) as (_, process):
            process.terminate()
            with pytest.raises(psutil.TimeoutExpired):
                process.wait(1)

    def test_it_ends_itself(self) -> None:
        with running(*_FIRST, through=CONTAINER) as (started, process):
            process.terminate()
            assert started.wait(20) == 0
