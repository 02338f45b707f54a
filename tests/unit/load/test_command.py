"""No server is loaded by mistake."""

import pytest
import typer
from typer.testing import CliRunner

from tests.load.inference.__main__ import is_this_machine, main


@pytest.mark.parametrize("address", ["127.0.0.1:8001", "localhost:8001", "[::1]:8001", "127.0.1.1:9"])
def test_this_machine_may_be_loaded(address: str) -> None:
    assert is_this_machine(address)


@pytest.mark.parametrize("address", ["10.0.0.7:8001", "192.0.2.1:8001", "0.0.0.0:8001", "nowhere.invalid:1", ":1"])
def test_others_may_not(address: str) -> None:
    assert not is_this_machine(address)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("poisson", "--model", "x", "--out", "never", "--address", "10.0.0.7:8001"), "--allow-remote"),
        (("poisson", "--model", "x", "--out", "never"), "--local"),
        (("storm", "--model", "x", "--out", "never", "--local"), "poisson, burst"),
    ],
)
def test_a_wrong_use_says_what_to_do(arguments: tuple[str, ...], said: str) -> None:
    app = typer.Typer()
    app.command()(main)

    result = CliRunner(env={"COLUMNS": "200", "TERMINAL_WIDTH": "200"}).invoke(app, list(arguments))

    assert result.exit_code == 2
    assert said in result.output
