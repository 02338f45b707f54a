"""docs/integrating.md, tried: its snippets run in their order with grpcurl, and its client with Node.js."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.clients import GRPCURL, client_tools
from tests.contract.products import ROOT
from tests.e2e.harness import RunningStack

_PAGE = (ROOT / "docs" / "integrating.md").read_text(encoding="utf-8")
_CONTRACTS = sorted((ROOT / "proto" / "released").glob("*.binpb"))[-1]
_WAIT_SECONDS = 240


def blocks(language: str) -> str:
    """Return the page's snippets of a language, one after the other."""
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", _PAGE, re.DOTALL))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the page's client and what it needs."""
    if not client_tools().ready:
        pytest.skip("client tools: python -m deploy.clients")
    folder = tmp_path_factory.mktemp("node")
    (folder / "client.mjs").write_text(blocks("js"), encoding="utf-8")
    (folder / "story.mjs").write_bytes((ROOT / "tests" / "e2e" / "clients" / "story.mjs").read_bytes())
    (folder / "node_modules").symlink_to(client_tools().modules)
    return folder


def session(stack: RunningStack, folder: Path, subject: str) -> Path:
    """Write what `pellicule token --json` says of a person into a file."""
    done = stack.run("token", "--subject", subject, "--json")
    assert done.returncode == 0, done.stderr
    file = folder / f"{subject}.json"
    file.write_text(done.stdout, encoding="utf-8")
    return file


def run_node(folder: Path, *arguments: object) -> dict[str, object]:
    command = [str(client_tools().node), *(str(argument) for argument in arguments)]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_WAIT_SECONDS,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_every_snippet_with_grpcurl_runs(stack: RunningStack, roll: Path, tmp_path: Path) -> None:
    if not GRPCURL.cached():
        pytest.skip("grpcurl is not built here: python -m deploy.clients")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "grpcurl").symlink_to(GRPCURL.path)
    (programs / "pellicule").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m services.cli "$@"\n', encoding="utf-8")
    (programs / "pellicule").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
        "PELLICULE_HOME": str(stack.home.path),
        "PHOTO": str(next(iter(sorted(roll.glob("*.jpg"))))),
    }

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", blocks("bash")],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=_WAIT_SECONDS,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    for said in (
        "pellicule.ingest.v1.DeviceService",
        "UPLOAD_TAKEN_OVER",
        "PURPOSE_CLOUD_PROCESSING",
        "keysDestroyTime",
    ):
        assert said in done.stdout
    assert "pellicule.internal" not in done.stdout


def test_the_client_of_the_page_brings_a_roll_in_and_gets_a_picture(
    stack: RunningStack, roll: Path, node: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "collage.jpg"

    told = run_node(node, "client.mjs", session(stack, tmp_path, "node"), _CONTRACTS, roll, picture)

    assert told["stored"] == len(list(roll.glob("*.jpg")))
    assert told["title"]
    assert picture.read_bytes().startswith(b"\xff\xd8")


def test_two_devices_a_cut_upload_a_day_away_and_pages_that_do_not_shift(
    stack: RunningStack, roll: Path, node: Path, tmp_path: Path
) -> None:
    told = run_node(node, "story.mjs", session(stack, tmp_path, "devices"), _CONTRACTS, roll)

    pages = told.pop("pages")
    assert pages["twice"] == 0  # type: ignore[index]
    assert pages["listed"] == pages["expected"]  # type: ignore[index]
    assert "revoked" in str(told.pop("revoked"))
    assert told == {
        "devices": 2,
        "resumedAt": "the cut",
        "resumed": True,
        "snapshot": 1,
        "sameCopies": True,
        "batch": True,
        "thumbnails": True,
        "watched": True,
    }
