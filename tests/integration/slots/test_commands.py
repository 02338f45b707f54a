"""Slots on the command line, as an operator and as a script see them."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.integration.slots.homes import own_home
from tests.unit.inference.slots import brought

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_home(tmp_path_factory.mktemp("home"))


async def pellicule(*words: str, home: Path) -> tuple[int, str, str]:
    """Run a command; return its status, and what it said on both streams."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", "models", *words, "--models", str(home),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    return process.returncode or 0, output.decode(), errors.decode()


async def rows(*words: str, home: Path) -> tuple[int, Rows]:
    status, output, _ = await pellicule(*words, "--json", home=home)
    return status, [json.loads(line) for line in output.splitlines()]


async def test_slots_are_listed_with_what_they_ask_for(home: Path) -> None:
    status, found = await rows("slots", home=home)
    assert status == 0
    assert {row["slot"] for row in found} == {
        "face_detector", "face_embedder", "scene_encoder", "text_encoder", "restyler",
    }  # fmt: skip
    assert {row["kind"] for row in found if row["slot"] == "restyler"} == {"flow", "latent"}
    assert {row["filled_by"] for row in found} == {None}


async def test_a_model_is_used_listed_verified_and_taken_out(home: Path, tmp_path: Path) -> None:
    own = brought.embedder(tmp_path / "mine.onnx")
    status, output, errors = await pellicule("use", "face_embedder", str(own), "--licence", "MIT", home=home)
    assert (status, "next `pellicule up`" in output, "face_embedder-custom-" in output) == (0, True, True)
    assert "5/5" in errors or "━" in errors
    _, listed = await rows("list", home=home)
    replaced = {row["name"]: row["replaced_by"] for row in listed if "name" in row and "replaced_by" in row}
    assert str(replaced["face_embedder"]).startswith("face_embedder-custom-")
    assert replaced["face_detector"] is None
    assert (await rows("unuse", "face_embedder", home=home))[0] == 0
    status, found = await rows("unuse", "face_embedder", home=home)
    assert (status, found[-1]["error"]["reason"]) == (1, "SLOT_EMPTY")  # type: ignore[index]


async def test_a_wrong_model_is_refused_with_every_reason(home: Path, tmp_path: Path) -> None:
    wrong = brought.scene_encoder(tmp_path / "wrong.onnx")
    status, found = await rows("use", "face_embedder", str(wrong), home=home)
    fields = [row["violation"]["field"] for row in found if "violation" in row]  # type: ignore[index]
    assert status == 1
    assert {"input 'image'", "output 'logits'", "output 'kinds'"} <= set(fields)
    assert found[-1]["error"]["reason"] == "SLOT_CONTRACT_BROKEN"  # type: ignore[index]
    _, listed = await rows("slots", home=home)
    assert {row["filled_by"] for row in listed} == {None}


async def test_a_file_that_is_not_there_is_named(home: Path) -> None:
    status, output, errors = await pellicule("use", "face_embedder", "/nowhere/mine.onnx", home=home)
    assert (status, output) == (1, "")
    assert "/nowhere/mine.onnx" in errors
