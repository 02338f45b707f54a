"""Where a stack is told to send what it tells of itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.local import daemon
from deploy.local.settings import OTLP_ENDPOINT, StackSettings
from deploy.local.state import Phase, ProcessId, StackState
from services.cli.__main__ import application


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = []

    def start(_home: object, settings: StackSettings, _progress: object) -> StackState:
        found.append(settings.values)
        return StackState(Phase.READY, ProcessId(1, 0.0), "seaweedfs")

    monkeypatch.setenv("PELLICULE_HOME", str(tmp_path))
    monkeypatch.setattr(daemon, "start", start)
    return found


def up(*arguments: str) -> Any:
    return CliRunner().invoke(application("up"), ["up", *arguments])


@pytest.mark.parametrize(
    ("arguments", "endpoint"),
    [
        ([], None),
        (["--observe"], "127.0.0.1:4317"),
        (["--observe", "collector.lan:4317"], "collector.lan:4317"),
        (["https://collector.lan:4317", "--observe"], "https://collector.lan:4317"),
    ],
)
def test_a_collector_is_told_where_one_is_asked_for(
    started: list[Mapping[str, str]], arguments: list[str], endpoint: str | None
) -> None:
    assert up(*arguments).exit_code == 0
    assert [values.get(OTLP_ENDPOINT) for values in started] == [endpoint]


@pytest.mark.parametrize("arguments", [["collector.lan:4317"], ["--observe", "collector"]])
def test_what_is_no_collector_starts_nothing(started: list[Mapping[str, str]], arguments: list[str]) -> None:
    assert up(*arguments).exit_code != 0
    assert started == []
