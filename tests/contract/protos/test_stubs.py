"""The committed stubs are what the contracts make."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.contract.products import ROOT


def test_the_committed_stubs_are_those_of_the_contracts(tmp_path: Path) -> None:
    subprocess.run([ROOT / "deploy" / "generate-protos", tmp_path], check=True)
    made, committed = _stubs(tmp_path), _stubs(ROOT / "proto" / "gen")
    stale = [name for name in sorted(made.keys() | committed.keys()) if made.get(name) != committed.get(name)]
    assert stale == [], "run deploy/generate-protos and commit what it writes"


def _stubs(folder: Path) -> Mapping[str, bytes]:
    files = [file for suffix in ("py", "pyi") for file in folder.rglob(f"*_pb2*.{suffix}")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}
