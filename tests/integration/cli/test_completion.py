"""A shell asks the command how a line goes on."""

import os
import subprocess
import sys

import pytest

_COMPLETES = "_PELLICULE_COMPLETE"


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services.cli", *arguments],
        env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "words"),
    [("pellicule im", {"import"}), ("pellicule import --wa", {"--wait"}), ("pellicule bench ", {"upload", "analyze"}),
     ("pellicule models ", {"slots", "use"})],
)  # fmt: skip
def test_bash_completes_commands_and_options(line: str, words: set[str]) -> None:
    position = str(len(line.split(" ")) - 1)
    result = program(**{_COMPLETES: "complete_bash", "COMP_WORDS": line, "COMP_CWORD": position})

    assert words <= set(result.stdout.split())
    assert result.returncode == 0


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_complete_too(shell: str) -> None:
    result = program(**{
        _COMPLETES: f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "pellicule import --wa",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    })  # fmt: skip

    assert "--wait" in result.stdout


def test_the_script_for_a_shell_is_shown() -> None:
    result = program("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")

    assert f"{_COMPLETES}=complete_bash" in result.stdout
