"""Builds, proves and lists the model set on this machine.

A built model lies in `<home>/<name>/<key>/`: `model.onnx`, and `built.json`, which is written last. The key
covers the manifests, the golden outputs and the conversion code, so a change of any of them builds anew beside
the old one and never into it.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import onnx

from inference.folders import alone, file_digest, move_into_place, scratch_folder, user_cache
from inference.model_build.conversion.recipes import RECIPES, recipes_digest
from inference.model_build.errors import GoldenMismatch, ModelNotBuilt, SourceUnavailable
from inference.model_build.golden import GOLDEN_FILE, network_golden
from inference.model_build.manifest import MANIFEST_FILE, Model, shipped_model, shipped_models
from inference.model_build.notice import NOTICE_FILE, notice
from inference.model_build.sessions import ModelSession
from inference.model_build.signature import check_signature
from inference.model_build.sources import read_weights

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
    """Return the folder that all stacks of one user share: `models` in Pellicule's part of the user's cache."""
    return user_cache("models")


def build_all(
    home: Path,
    progress: Report = lambda _: None,
    *,
    models: Sequence[Model] | None = None,
    repository: Path | None = None,
) -> tuple[BuiltModel, ...]:
    """Make every model lie ready, and proven, under `home`; what lies there already is left alone.

    Args:
        home: the folder of built models, made when it is missing.
        progress: told of each step.
        models: which ones; those that come with the product when it is left out.
        repository: a model repository that was assembled elsewhere, to take the networks from; where it is left out,
            they are made of the published weights.

    Returns:
        The models, in the order given.

    Raises:
        ModelError: a model could not be fetched, converted or proven; nothing of it was installed.
    """
    wanted = shipped_models() if models is None else models
    home.mkdir(parents=True, exist_ok=True)
    built = []
    for done, model in enumerate(wanted):

        def report(stage: Stage, done: int = done, name: str = model.name) -> None:
            progress(Progress(name, stage, done + (stage in {Stage.BUILT, Stage.PRESENT}), len(wanted)))

        with alone(home):
            built.append(_build(home, model, report, repository))
    (home / NOTICE_FILE).write_text(
        notice([each.manifest for model in wanted for each in (model, *model.parts)]), "utf-8"
    )
    return tuple(built)


def verify_all(
    home: Path, progress: Report = lambda _: None, *, models: Sequence[Model] | None = None
) -> tuple[BuiltModel, ...]:
    """Proves the built models again: digest, tensors and golden outputs.

    Raises:
        ModelNotBuilt: a model is missing; run the build.
        GoldenMismatch: a file was changed, or this machine computes other numbers.
        SignatureBroken: a file has other tensors.
    """
    wanted = shipped_models() if models is None else models
    built = list_models(home, models=wanted)
    for done, (model, lies) in enumerate(zip(wanted, built, strict=True)):
        progress(Progress(model.name, Stage.CHECK, done, len(built)))
        if file_digest(lies.path) != lies.sha256:
            raise GoldenMismatch(f"{lies.path} was changed after it was built; delete its folder", field=model.name)
        _prove(model, lies.path)
        progress(Progress(model.name, Stage.PRESENT, done + 1, len(built)))
    return built


def list_models(home: Path, *, models: Sequence[Model] | None = None) -> tuple[BuiltModel, ...]:
    """Return the models as they lie ready under `home`.

    Raises:
        ModelNotBuilt: one of them is missing; run the build.
    """
    return tuple(_require(home, model) for model in (shipped_models() if models is None else models))


def built_model(home: Path, name: str) -> BuiltModel:
    """One shipped model as it lies ready under `home`.

    Raises:
        ModelNotBuilt: it is missing; run the build.
        ManifestInvalid: there is no such model.
    """
    return _require(home, shipped_model(name))


def _require(home: Path, model: Model) -> BuiltModel:
    lies = _find(home, model)
    if lies is None:
        raise ModelNotBuilt(f"{model.name} is not built; run: pellicule models build", field=model.name)
    return lies


def _build(home: Path, model: Model, report: Callable[[Stage], None], repository: Path | None) -> BuiltModel:
    present = _find(home, model)
    if present is not None:
        report(Stage.PRESENT)
        return present
    report(Stage.FETCH)
    with scratch_folder(home) as scratch:
        if repository is None:
            weights = [read_weights(each) for each in (model, *model.parts)]
            report(Stage.CONVERT)
            onnx.save(RECIPES[model.manifest.recipe](*weights), str(scratch / MODEL_FILE))
        else:
            shutil.copyfile(_network_in(repository, model), scratch / MODEL_FILE)
        report(Stage.CHECK)
        _prove(model, scratch / MODEL_FILE)
        built = _install(home, model, scratch)
    report(Stage.BUILT)
    return built


def _network_in(repository: Path, model: Model) -> Path:
    """Find the one network of a model in a repository for servers without a GPU."""
    found = sorted((repository / model.name / "1").glob("*.onnx"))
    if len(found) != 1:
        message = f"{repository / model.name / '1'} holds {len(found)} networks, and one is wanted; assemble it anew"
        raise SourceUnavailable(message, field=model.name)
    return found[0]


def _prove(model: Model, path: Path) -> None:
    check_signature(model.manifest, path)
    pair = network_golden(model)
    pair.check(ModelSession(path).run(pair.inputs))


def _install(home: Path, model: Model, scratch: Path) -> BuiltModel:
    path, key = scratch / MODEL_FILE, _key(model)
    target = home / model.name / key
    built = BuiltModel(model.name, model.manifest.identity, key, file_digest(path), path.stat().st_size, target)
    marker = {name: value for name, value in asdict(built).items() if name != "folder"}
    (scratch / MARKER_FILE).write_text(json.dumps(marker, indent=2) + "\n", "utf-8")
    move_into_place(scratch, target)
    return _require(home, model)


def _find(home: Path, model: Model) -> BuiltModel | None:
    folder = home / model.name / _key(model)
    try:
        marker = json.loads((folder / MARKER_FILE).read_text("utf-8"))
        built = BuiltModel(**marker, folder=folder)
        return built if built.path.stat().st_size == built.size_bytes else None
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def _key(model: Model) -> str:
    digest = hashlib.sha256(recipes_digest().encode())
    parts = (part.folder / MANIFEST_FILE for part in model.parts)
    for path in (model.folder / MANIFEST_FILE, model.folder / GOLDEN_FILE, *parts):
        digest.update(hashlib.sha256(path.read_bytes() if path.exists() else b"").digest())
    return digest.hexdigest()[:16]
