"""Models are installed whole, proven, or not at all."""

import json
from pathlib import Path

import numpy as np
import pytest

from inference.folders import LOCK_FILE
from inference.model_build.build import Progress, Stage, build_all, list_models, verify_all
from inference.model_build.errors import GoldenMismatch, ModelNotBuilt, SignatureBroken, SourceDigestMismatch
from tests.unit.inference.models import small_head


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "built"


def _left_behind(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.name != LOCK_FILE)


def test_a_model_is_built_with_its_notice(tmp_path: Path, home: Path) -> None:
    (built,) = build_all(home, models=[small_head(tmp_path)])

    assert built.path == home / "small_head" / built.key / "model.onnx"
    assert json.loads((built.folder / "built.json").read_text("utf-8"))["sha256"] == built.sha256
    assert "small_head-1" in (home / "NOTICE").read_text("utf-8")


def test_a_second_build_does_nothing(tmp_path: Path, home: Path) -> None:
    model, seen = small_head(tmp_path), list[Progress]()
    (first,) = build_all(home, models=[model])
    written = first.path.stat().st_mtime_ns

    (second,) = build_all(home, seen.append, models=[model])

    assert second == first
    assert second.path.stat().st_mtime_ns == written
    assert seen == [Progress("small_head", Stage.PRESENT, 1, 1)]


def test_every_step_is_reported(tmp_path: Path, home: Path) -> None:
    seen = list[Progress]()

    build_all(home, seen.append, models=[small_head(tmp_path)])

    assert [(step.stage, step.done) for step in seen] == [
        (Stage.FETCH, 0),
        (Stage.CONVERT, 0),
        (Stage.CHECK, 0),
        (Stage.BUILT, 1),
    ]


def test_other_weights_than_those_pinned_leave_nothing_installed(tmp_path: Path, home: Path) -> None:
    model = small_head(tmp_path)
    np.savez(model.folder / "weights.npz", weight=np.zeros((6, 2)), bias=np.zeros(2))

    with pytest.raises(SourceDigestMismatch, match="nothing was installed") as caught:
        build_all(home, models=[model])

    assert caught.value.field == "small_head"
    assert _left_behind(home) == []


def test_a_model_with_other_tensors_than_promised_leaves_nothing_installed(tmp_path: Path, home: Path) -> None:
    with pytest.raises(SignatureBroken, match=r"'probabilities' must be FP32 \[N, 3\]"):
        build_all(home, models=[small_head(tmp_path, classes=3)])

    assert _left_behind(home) == []


def test_a_model_with_a_wrong_answer_leaves_nothing_installed(tmp_path: Path, home: Path) -> None:
    model = small_head(tmp_path)
    np.savez(model.folder / "golden.npz", probabilities=np.asarray([[0.5, 0.5]], np.float32))

    with pytest.raises(GoldenMismatch, match="'probabilities' is off by"):
        build_all(home, models=[model])

    assert _left_behind(home) == []


def test_a_half_written_folder_is_built_again(tmp_path: Path, home: Path) -> None:
    model = small_head(tmp_path)
    (first,) = build_all(home, models=[model])
    (first.folder / "built.json").unlink()

    (second,) = build_all(home, models=[model])

    assert second == first
    assert (second.folder / "built.json").exists()


def test_what_a_killed_build_left_is_swept_away(tmp_path: Path, home: Path) -> None:
    left = home / ".making-abc"
    left.mkdir(parents=True)
    (left / "model.onnx").write_bytes(b"half")

    build_all(home, models=[small_head(tmp_path)])

    assert not left.exists()


def test_a_new_version_is_built_beside_the_old_one(tmp_path: Path, home: Path) -> None:
    model = small_head(tmp_path)
    (first,) = build_all(home, models=[model])
    text = (model.folder / "manifest.toml").read_text("utf-8")
    (model.folder / "manifest.toml").write_text(text + "absolute_tolerance = 0.5\n", "utf-8")

    (second,) = build_all(home, models=[model])

    assert second.key != first.key
    assert first.path.exists()


def test_a_changed_file_is_found_by_verifying(tmp_path: Path, home: Path) -> None:
    model = small_head(tmp_path)
    (built,) = build_all(home, models=[model])
    data = bytearray(built.path.read_bytes())
    data[-3] ^= 0xFF
    built.path.write_bytes(data)

    with pytest.raises(GoldenMismatch, match="was changed after it was built"):
        verify_all(home, models=[model])


def test_a_built_model_verifies(tmp_path: Path, home: Path) -> None:
    model = small_head(tmp_path)
    built = build_all(home, models=[model])

    assert verify_all(home, models=[model]) == built


def test_what_is_not_built_cannot_be_listed(tmp_path: Path, home: Path) -> None:
    with pytest.raises(ModelNotBuilt, match="pellicule models build"):
        list_models(home, models=[small_head(tmp_path)])
