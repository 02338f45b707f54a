"""The command as a whole: its table, its help, its version and its statuses."""

import importlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from services.cli import exit_status
from services.cli.__main__ import GROUPS, application, main
from services.cli.exit_status import ExitStatus

COMMAND = typer.main.get_command(application())
CLI = Path(exit_status.__file__).parent
NAMES = [name for names in GROUPS.values() for name in names]


def commands(command: Any = COMMAND, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, (*words, name))


@pytest.mark.parametrize(("module", "names"), GROUPS.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_registers_the_commands_that_the_table_names(module: str, names: Sequence[str]) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    importlib.import_module(module).register(app)

    assert tuple(typer.main.get_command(app).commands) == tuple(names)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", NAMES)
def test_a_command_loads_its_own_module_alone(name: str) -> None:
    loaded = set(typer.main.get_command(application(name)).commands)  # type: ignore[attr-defined]

    assert name in loaded
    assert loaded in [set(names) for names in GROUPS.values()]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_a_flag_has_no_type_in_the_help(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(application(*words[:1]), [*words, "--help"])

    assert result.exit_code == 0
    assert "bool" not in result.stdout


def test_the_version_is_said() -> None:
    result = CliRunner().invoke(application("--version"), ["--version"])

    assert (result.exit_code, result.stdout) == (0, f"pellicule {version('pellicule')}\n")


WRONG = """
import
nonsense
status --fly
search dog --limit 0
search dog --limit x
token --role king
token --ttl soon
models
bench nonsense
--json
consent --region USA
withdraw EVERYTHING
import /nowhere/at/all
erase
mark a.jpg
ideas --language de
erase --account --delay 31d --yes
"""


@pytest.mark.parametrize("words", WRONG.strip().splitlines())
class TestWrongUse:
    def test_ends_with_its_status(self, words: str) -> None:
        ended = CliRunner().invoke(application(words.split()[0]), words.split())

        assert ended.exit_code == ExitStatus.USAGE

    def test_is_one_line_for_a_script(
        self, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["pellicule", *words.split(), "--json"])
        monkeypatch.setattr(sys, "stdin", None)
        with pytest.raises(SystemExit) as ended:
            main()

        assert ended.value.code == ExitStatus.USAGE
        (line,) = capsys.readouterr().out.splitlines()
        assert json.loads(line)["error"].keys() == {"reason", "message", "field"}


def test_the_readme_has_every_status() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", (CLI / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert rows == [(str(status.value), status.meaning) for status in ExitStatus]


def test_no_command_ends_with_a_status_of_its_own() -> None:
    ends = re.compile(r"(?:SystemExit|sys\.exit|typer\.Exit)\(\d|\bcode=\d")
    found = [path for path in CLI.rglob("*.py") if ends.search(path.read_text(encoding="utf-8"))]

    assert found == []
