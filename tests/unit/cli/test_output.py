"""How a command ends, and what it says then."""

import io
import json
from typing import Any

import grpc
import pytest

from services.cli.exit_status import ExitStatus
from services.cli.output import CommandFailed, UsageWrong, confirmed, emit, failures, note, say


def test_a_row_is_one_line_whatever_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"file": "a\nb.jpg", "title": "été"})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"file": "a\nb.jpg", "title": "été"}


def test_a_line_for_people_spells_control_characters_out(capsys: pytest.CaptureFixture[str]) -> None:
    say("\x1b[2J.jpg")
    note("[red]\x1b[2J[/red] :smile:")
    printed = capsys.readouterr()
    assert printed.out == "\\x1b[2J.jpg\n"
    assert printed.err == "[red]\\x1b[2J[/red] :smile:\n"


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (CommandFailed("X", "m"), ExitStatus.FAILED, "X"),
        (UsageWrong("X", "m"), ExitStatus.USAGE, "X"),
        (KeyboardInterrupt(), ExitStatus.INTERRUPTED, "INTERRUPTED"),
        (FileNotFoundError(2, "No such file", "a.jpg"), ExitStatus.FAILED, "FILE_UNUSABLE"),
        (
            grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata()),
            ExitStatus.OUTAGE,
            "STACK_UNREACHABLE",
        ),
    ],
)
def test_a_failure_is_one_line_and_a_status(
    error: BaseException, status: ExitStatus, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, failures(as_json=True):
        raise error

    assert ended.value.code == status
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["error"]["reason"] == reason


@pytest.mark.parametrize(
    ("typed", "yes"), [("y\n", True), ("OUI\n", True), ("\n", False), ("no\n", False), ("", False)]
)
def test_anything_but_a_clear_yes_is_a_no(
    typed: str, yes: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin: Any = io.StringIO(typed)
    monkeypatch.setattr("sys.stdin", stdin)

    assert confirmed("Erase a\x1bb?") is yes
    assert capsys.readouterr().err == "Erase a\\x1bb? [y/N] "
