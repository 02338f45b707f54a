"""Builds, proves and lists the model set on this machine.

A built model lies in `<home>/<name>/<key>/`: `model.onnx`, and `built.json`, which is written last. The key
covers the manifest, the golden answers and the conversion code, so a change of any of them builds anew beside
the old one and never into it.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import onnx

from inference.models.conversion.recipes import RECIPES, recipes_digest
from inference.models.errors import GoldenMismatch, ModelNotBuilt
from inference.models.golden import GOLDEN_FILE, golden
from inference.models.manifest import FOLDER, MANIFEST_FILE, Manifest, manifests
from inference.models.notice import NOTICE_FILE, notice
from inference.models.sessions import ModelSession
from inference.models.signature import check_signature
from inference.models.sources import read_weights

MODEL_FILE: Final = "model.onnx"
MARKER_FILE: Final = "built.json"


class Stage(StrEnum):
    """What is being done to a model."""

    FETCH = "fetch"
    CONVERT = "convert"
    CHECK = "check"
    BUILT = "built"
    PRESENT = "present"


@dataclass(frozen=True)
class Progress:
    """A step of the build: `done` of `total` models are finished."""

    model: str
    stage: Stage
    done: int
    total: int


@dataclass(frozen=True)
class BuiltModel:
    """A model that lies ready on this machine."""

    name: str
    identity: str
    key: str
    sha256: str
    size_bytes: int
    folder: Path

    @property
    def path(self) -> Path:
        """The ONNX file."""
        return self.folder / MODEL_FILE


Report = Callable[[Progress], None]


def default_home() -> Path:
    """The folder that all stacks of one user share: `models` in Pellicule's part of the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "pellicule" / "models"


def build_all(home: Path, progress: Report = lambda _: None) -> tuple[BuiltModel, ...]:
    """Makes every shipped model lie ready, and proven, under `home`; what lies there already is left alone.

    Args:
        home: the folder of built models, made when it is missing.
        progress: told of each step.

    Returns:
        The models, in the order of their names.

    Raises:
        ModelError: a model could not be fetched, converted or proven; nothing of it was installed.
    """
    shipped = manifests()
    home.mkdir(parents=True, exist_ok=True)
    built = []
    for done, manifest in enumerate(shipped):

        def report(stage: Stage, done: int = done, name: str = manifest.name) -> None:
            progress(Progress(name, stage, done + (stage in {Stage.BUILT, Stage.PRESENT}), len(shipped)))

        built.append(_build(home, manifest, report))
    (home / NOTICE_FILE).write_text(notice(shipped), "utf-8")
    return tuple(built)


def verify_all(home: Path, progress: Report = lambda _: None) -> tuple[BuiltModel, ...]:
    """Proves the built models again: digest, tensors and golden answers.

    Raises:
        ModelNotBuilt: a model is missing; run the build.
        GoldenMismatch: a file was changed, or this machine computes other numbers.
        SignatureBroken: a file has other tensors.
    """
    built = list_models(home)
    for done, model in enumerate(built):
        progress(Progress(model.name, Stage.CHECK, done, len(built)))
        if _digest(model.path) != model.sha256:
            raise GoldenMismatch(f"{model.path} was changed after it was built; delete its folder", field=model.name)
        _prove(next(each for each in manifests() if each.name == model.name), model.path)
        progress(Progress(model.name, Stage.PRESENT, done + 1, len(built)))
    return built


def list_models(home: Path) -> tuple[BuiltModel, ...]:
    """The shipped models as they lie ready under `home`.

    Raises:
        ModelNotBuilt: one of them is missing; run the build.
    """
    return tuple(_require(home, manifest) for manifest in manifests())


def built_model(home: Path, name: str) -> BuiltModel:
    """One shipped model as it lies ready under `home`.

    Raises:
        ModelNotBuilt: it is missing, or there is no such model.
    """
    for manifest in manifests():
        if manifest.name == name:
            return _require(home, manifest)
    raise ModelNotBuilt(f"there is no model {name!r}", field=name)


def _require(home: Path, manifest: Manifest) -> BuiltModel:
    model = _find(home, manifest)
    if model is None:
        raise ModelNotBuilt(f"{manifest.name} is not built; run: pellicule models build", field=manifest.name)
    return model


def _build(home: Path, manifest: Manifest, report: Callable[[Stage], None]) -> BuiltModel:
    present = _find(home, manifest)
    if present is not None:
        report(Stage.PRESENT)
        return present
    report(Stage.FETCH)
    weights = read_weights(manifest)
    scratch = Path(tempfile.mkdtemp(prefix=f".{manifest.name}-", dir=home))
    try:
        report(Stage.CONVERT)
        onnx.save(RECIPES[manifest.recipe](weights), str(scratch / MODEL_FILE))
        report(Stage.CHECK)
        _prove(manifest, scratch / MODEL_FILE)
        built = _install(home, manifest, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report(Stage.BUILT)
    return built


def _prove(manifest: Manifest, path: Path) -> None:
    check_signature(manifest, path)
    pair = golden(manifest)
    pair.check(ModelSession(path).run(pair.inputs))


def _install(home: Path, manifest: Manifest, scratch: Path) -> BuiltModel:
    """Gives the finished folder its name; when another build was faster, the other one stays."""
    path, key = scratch / MODEL_FILE, _key(manifest)
    target = home / manifest.name / key
    model = BuiltModel(manifest.name, manifest.identity, key, _digest(path), path.stat().st_size, target)
    marker = {name: value for name, value in asdict(model).items() if name != "folder"}
    (scratch / MARKER_FILE).write_text(json.dumps(marker, indent=2) + "\n", "utf-8")
    scratch.chmod(0o755)
    target.parent.mkdir(exist_ok=True)
    with contextlib.suppress(OSError):
        scratch.rename(target)
    return _require(home, manifest)


def _find(home: Path, manifest: Manifest) -> BuiltModel | None:
    folder = home / manifest.name / _key(manifest)
    try:
        marker = json.loads((folder / MARKER_FILE).read_text("utf-8"))
        model = BuiltModel(**marker, folder=folder)
        return model if model.path.stat().st_size == model.size_bytes else None
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def _key(manifest: Manifest) -> str:
    digest = hashlib.sha256(recipes_digest().encode())
    for name in (MANIFEST_FILE, GOLDEN_FILE):
        digest.update(hashlib.sha256((FOLDER / manifest.name / name).read_bytes()).digest())
    return digest.hexdigest()[:16]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
