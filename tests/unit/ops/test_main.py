"""Command line of an operator: what it has, and what it says where it cannot run."""

import subprocess
import sys

import typer.main

from deploy.ops.__main__ import application
from tests.contract.products import ROOT


def test_every_command_is_told_of_in_the_documents() -> None:
    text = (ROOT / "docs/operating.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(application()).commands  # type: ignore[attr-defined]

    assert [name for name in commands if f"pellicule-ops {name}" not in text] == []


def test_every_command_says_what_is_missing_without_the_client_of_kubernetes() -> None:
    code = (
        "import sys, importlib.util as util; real = util.find_spec;"
        "util.find_spec = lambda name, package=None: None if name == 'kubernetes' else real(name, package);"
        "sys.argv = ['pellicule-ops', 'doctor']; import deploy.ops.__main__ as command; command.main()"
    )

    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert "pellicule[cluster]" in ran.stderr
