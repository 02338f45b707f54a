import hashlib
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageOps

from deploy.samples import build_roll
from deploy.samples.building import Step
from deploy.samples.errors import SourcesMissing, TargetInUse
from deploy.samples.recipe import Recipe
from deploy.samples.sources import Library


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "DCIM").iterdir()}


def test_a_roll_has_a_file_for_every_frame_whose_source_is_at_hand(
    tmp_path: Path, now: datetime, library: Library, plan: Recipe
) -> None:
    roll = build_roll(tmp_path / "roll", now=now, library=library, plan=plan)
    assert sorted(path.name for path in roll.pictures.iterdir()) == [
        "IMG_0007.HEIC",
        "IMG_20261113_100000.jpg",
        "IMG_20261113_100001.jpg",
        "IMG_20261117_110000.jpg",
        "Received_20261119.jpeg",
        "saved.webp",
    ]


def test_the_same_date_and_sources_make_the_same_bytes(
    tmp_path: Path, now: datetime, library: Library, plan: Recipe
) -> None:
    first = build_roll(tmp_path / "one", now=now, library=library, plan=plan)
    second = build_roll(tmp_path / "two", now=now + timedelta(hours=1), library=library, plan=plan)
    assert digests(first.folder) == digests(second.folder)


def test_a_second_run_changes_nothing(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    build_roll(tmp_path, now=now, library=library, plan=plan)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert not build_roll(tmp_path, now=now + timedelta(days=1), library=library, plan=plan).built
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_damaged_file_is_made_again(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    roll = build_roll(tmp_path, now=now, library=library, plan=plan)
    whole = digests(tmp_path)
    (roll.pictures / "saved.webp").write_bytes(b"")
    assert build_roll(tmp_path, now=now, library=library, plan=plan).built
    assert digests(tmp_path) == whole


def test_a_roll_that_has_left_the_window_is_made_again(
    tmp_path: Path, now: datetime, library: Library, plan: Recipe
) -> None:
    build_roll(tmp_path, now=now, library=library, plan=plan)
    roll = build_roll(tmp_path, now=now + timedelta(days=22), library=library, plan=plan)
    assert roll.built
    assert all(row.in_window for row in roll.files if row.event != "older")
    assert {path.name for path in roll.pictures.iterdir()} == {row.file for row in roll.files}


def test_pictures_of_others_are_never_touched(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    (tmp_path / "DCIM").mkdir()
    (tmp_path / "DCIM" / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(TargetInUse, match=r"mine\.jpg"):
        build_roll(tmp_path, now=now, library=library, plan=plan)
    assert (tmp_path / "DCIM" / "mine.jpg").read_bytes() == b"mine"


def test_an_interrupted_run_is_made_good_by_the_next(
    tmp_path: Path, now: datetime, library: Library, plan: Recipe
) -> None:
    (tmp_path / "DCIM.part").mkdir()
    (tmp_path / "DCIM.part" / "half.jpg").write_bytes(b"half")
    roll = build_roll(tmp_path, now=now, library=library, plan=plan)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["DCIM", "ROLL.md", "roll.json"]
    assert not (roll.pictures / "half.jpg").exists()


def test_without_a_source_the_other_one_is_taken_with_its_flaws(tmp_path: Path, now: datetime, plan: Recipe) -> None:
    only_cat = Library({"chelsea": plain_picture()}, ("gcompris-qt-data",))
    roll = build_roll(tmp_path, now=now, library=only_cat, plan=plan)
    by_shot = {row.shot: row for row in roll.files if row.duplicate_of is None}
    assert (by_shot["palace"].source, by_shot["palace"].blurred) == ("chelsea", True)
    assert "guest" not in by_shot
    assert roll.missing_packages == ("gcompris-qt-data",)
    assert "gcompris-qt-data could not be had" in (tmp_path / "ROLL.md").read_text("utf-8")


def plain_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (96, 72), (90, 120, 60)).save(buffer, "PNG")
    return buffer.getvalue()


def test_without_any_source_the_extra_is_asked_for(tmp_path: Path, now: datetime, plan: Recipe) -> None:
    with pytest.raises(SourcesMissing, match="samples"):
        build_roll(tmp_path, now=now, library=Library({}), plan=plan)


def test_a_copy_has_the_bytes_of_its_original(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    roll = build_roll(tmp_path, now=now, library=library, plan=plan)
    (copy,) = [row for row in roll.files if row.duplicate_of]
    original = roll.pictures / str(copy.duplicate_of)
    assert (roll.pictures / copy.file).read_bytes() == original.read_bytes()


def test_ground_truth_agrees_with_the_files(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    pillow_heif.register_heif_opener()
    roll = build_roll(tmp_path, now=now, library=library, plan=plan)
    for row in json.loads((tmp_path / "roll.json").read_text("utf-8"))["files"]:
        content = (roll.pictures / row["file"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        with Image.open(io.BytesIO(content)) as image:
            assert (row["width"], row["height"]) == ImageOps.exif_transpose(image).size


def test_every_file_has_a_row_with_a_licence(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    roll = build_roll(tmp_path, now=now, library=library, plan=plan)
    text = (tmp_path / "ROLL.md").read_text("utf-8")
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines() if line.startswith("| ")}
    for row in roll.files:
        assert rows[row.file].split(" | ")[4].strip()


def test_progress_counts_every_picture(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    steps: list[Step] = []
    build_roll(tmp_path, now=now, library=library, plan=plan, progress=steps.append)
    assert [(step.done, step.total) for step in steps] == [(number, 5) for number in range(1, 6)]


def test_flaws_are_told(tmp_path: Path, now: datetime, library: Library, plan: Recipe) -> None:
    roll = build_roll(tmp_path, now=now, library=library, plan=plan)
    assert [row.shot for row in roll.files if row.dark] == ["old"]
