"""Programs of the services' image need nothing that is not in it: no ONNX, no server, no look into processes."""

import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.contract.products import ROOT

PROGRAMS = ("inference.canary", "inference.load", "inference.load.keeping", "inference.publishing")
_MODULES = {"nvidia-pytriton": "pytriton"}
"""Packages whose modules have another name."""


def _left_out() -> set[str]:
    """Return the modules of packages that only one machine has."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    names = [Requirement(each).name for extra in ("local", "samples", "training") for each in extras[extra]]
    return {_MODULES.get(name, name.replace("-", "_")) for name in names}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_starts_without_what_only_one_machine_has(program: str) -> None:
    blocked = sorted(_left_out())
    assert {"onnx", "onnxruntime", "psutil", "pytriton"} <= set(blocked)

    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, program, *blocked], capture_output=True, text=True, check=False
    )

    assert (done.returncode, "Usage:" in done.stdout) == (0, True), done.stderr


_WITHOUT = """
import runpy, sys
program, *blocked = sys.argv[1:]
sys.modules.update(dict.fromkeys(blocked))
sys.argv = [program, "--help"]
runpy.run_module(program, run_name="__main__", alter_sys=True)
"""
