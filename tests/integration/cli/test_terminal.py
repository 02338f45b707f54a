"""The command at a terminal: it asks, and Ctrl-C ends it; in a script it asks nothing."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.cli.exit_status import ExitStatus


def _hear_ctrl_c() -> None:
    """Undo what the background jobs of a shell inherit: that they ignore the signal."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _begin_at_a_terminal() -> None:
    _hear_ctrl_c()
    os.close(os.open(os.ttyname(0), os.O_RDWR))


@contextmanager
def erase_at_a_terminal(home: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run `pellicule erase` at a terminal of its own until it asks."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "erase", "--subject", "ada"],
        env={**os.environ, "PELLICULE_HOME": str(home)}, stdin=theirs, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=_begin_at_a_terminal,
    )  # fmt: skip
    assert process.stderr is not None
    question = process.stderr.read(len("Erase everything of ada? This cannot be undone. [y/N] "))
    assert question.startswith("Erase everything of ada?")
    try:
        yield process, ours
    finally:
        process.communicate(timeout=60)
        os.close(theirs)
        os.close(ours)


@pytest.mark.parametrize(
    ("typed", "status"),
    [(b"n\n", ExitStatus.FAILED), (b"\x04", ExitStatus.FAILED), (b"\x03", ExitStatus.INTERRUPTED)],
    ids=["no", "end of input", "Ctrl-C"],
)
def test_erasing_asks_and_goes_on_with_a_clear_yes_alone(typed: bytes, status: ExitStatus, tmp_path: Path) -> None:
    with erase_at_a_terminal(tmp_path) as (process, terminal):
        os.write(terminal, typed)

    assert process.returncode == status


def test_a_script_that_does_not_say_yes_erases_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.cli", "erase"], env={**os.environ, "PELLICULE_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == ExitStatus.USAGE
    assert "NOT_CONFIRMED [--yes]" in ended.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_ctrl_c_ends_a_command_with_its_status(as_json: bool, tmp_path: Path) -> None:
    # A pipe that nothing is written to: the command hangs where it reads its picture.
    os.mkfifo(tmp_path / "picture.png")
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli", "restyle", str(tmp_path / "picture.png"), "--style", "oil",
         *(["--json"] if as_json else [])],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hear_ctrl_c,
    )  # fmt: skip
    assert process.stderr is not None
    with (tmp_path / "picture.png").open("wb"):  # returns once the command has opened it
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)

    assert process.returncode == ExitStatus.INTERRUPTED
    assert "INTERRUPTED" in (output if as_json else errors)
    assert "Traceback" not in errors
