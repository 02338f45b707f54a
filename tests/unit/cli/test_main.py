"""The table of commands: each is loaded by itself, and none is left out."""

import importlib
from collections.abc import Sequence

import pytest
import typer.main

from services.cli.__main__ import GROUPS, application


@pytest.mark.parametrize(("module", "names"), GROUPS.items(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_registers_the_commands_that_the_table_names(module: str, names: Sequence[str]) -> None:
    app = typer.Typer()
    app.callback()(lambda: None)
    importlib.import_module(module).register(app)

    assert tuple(typer.main.get_command(app).commands) == tuple(names)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for names in GROUPS.values() for name in names])
def test_a_command_loads_its_own_module_alone(name: str) -> None:
    loaded = set(typer.main.get_command(application(name)).commands)  # type: ignore[attr-defined]

    assert name in loaded
    assert loaded in [set(names) for names in GROUPS.values()]
