"""The commands about the restyler, with a real server."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from inference.restyling.assembly import FlowRestylerFiles
from services.cli.bench.restyle import measure_at
from services.cli.output import CommandFailed
from services.cli.restyle.commands import RestyleOptions, paint, read_picture
from services.cli.restyle.generated import SOURCE_TYPE
from tests.fakes.restyler_graphs import STYLES, write_flow
from tests.integration.restyling.servers import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORKING = STYLES[:2]
WISH = RestyleOptions(steps=2, strength=1.0, seed=5)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> FlowRestylerFiles:
    return FlowRestylerFiles(write_flow(tmp_path_factory.mktemp("flow") / "velocity.onnx"), WORKING)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(files: FlowRestylerFiles, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with serving(tmp_path_factory.mktemp("triton"), files) as running:
        yield running


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


async def test_a_picture_is_painted_and_marked(address: str, photo: Path, tmp_path: Path) -> None:
    picture = read_picture(photo, 768)

    description = await paint(address, picture, "inverted", WISH, tmp_path / "made.png")

    with Image.open(tmp_path / "made.png") as made:
        assert np.array_equal(np.asarray(made), 255 - np.asarray(picture))
    assert SOURCE_TYPE.encode() in (tmp_path / "made.png").read_bytes()
    assert description == "restyler: inverted, 2 steps, strength 1, seed 5"


async def test_all_styles_come_on_one_sheet(address: str, photo: Path, tmp_path: Path) -> None:
    await paint(address, read_picture(photo, 768), "", WISH, tmp_path / "sheet.jpg")

    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.width == 12 + 3 * (384 + 12)


async def test_a_style_that_is_not_served_is_answered_with_those_that_are(
    address: str, photo: Path, tmp_path: Path
) -> None:
    with pytest.raises(CommandFailed, match="there is no style 'neon'; choose one of same, inverted"):
        await paint(address, read_picture(photo, 768), "neon", WISH, tmp_path / "made.png")

    assert not (tmp_path / "made.png").exists()


async def test_the_bench_holds_the_server_against_the_bare_network(address: str, files: FlowRestylerFiles) -> None:
    row = await measure_at(address, files, side=64, most=2)

    assert set(row) == {"name", "value", "unit", "limit", "ratio", "goal", "holds", "uncertainty", "rounds"}
    assert (row["name"], row["rounds"]) == ("restyle", 2)
    assert row["holds"] == (float(str(row["ratio"])) >= 0.85)


@pytest.mark.parametrize(
    ("arguments", "reason", "field"),
    [
        (["photo.png"], "STYLE_MISSING", "--style"),
        (["photo.png", "--style", "oil", "--all"], "STYLE_MISSING", "--style"),
        (["photo.png", "--style", "oil", "--out", "made.gif"], "FORMAT_UNKNOWN", "--out"),
        (["photo.png", "--style", "oil", "--out", "photo.png"], "FILE_UNUSABLE", "--out"),
        (["missing.png", "--style", "oil"], "FILE_UNUSABLE", "missing.png"),
        (["thin.png", "--style", "oil"], "PICTURE_TOO_SMALL", "photo"),
        (["photo.png", "--style", "oil", "--long-side", "9000"], "FIELD_INVALID", "--long-side"),
        (["photo.png", "--style", "oil"], "NOT_RUNNING", "home"),
    ],
)
async def test_a_wrong_use_is_one_line_that_says_why(
    photo: Path, arguments: list[str], reason: str, field: str
) -> None:
    Image.new("RGB", (300, 3)).save(photo.parent / "thin.png")
    ended = subprocess.run(  # noqa: ASYNC221  # nothing else goes on
        [sys.executable, "-m", "services.cli", "restyle", *arguments],
        cwd=photo.parent,
        env={**os.environ, "PELLICULE_HOME": str(photo.parent / "no-stack"), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == (2 if field.startswith("--") else 1)
    assert ended.stderr.startswith(f"pellicule: {reason} [{field}]")
    assert ended.stdout == ""
