"""Committed engines of a machine, under `<home>/plans/<key>/`: found, chosen for a node, checked, and served."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from inference.engines.errors import AccuracyLost, EngineDamaged, EngineMissing, WrongTarget
from inference.engines.manifest import KEY, MANIFEST_FILE, PLAN_FILE, Engine, read_manifest
from inference.engines.proof import PRECISION_PARAMETER
from inference.engines.targets import Target
from inference.folders import file_digest, link
from inference.repository import CONFIG_FILE, SHIPPED, configure

_AS_SHIPPED: Final[Mapping[str, Sequence[int]]] = {}


def plan_folder(home: Path, key: str) -> Path:
    """Return where an engine lies, or would lie, under a home."""
    return home / "plans" / key


def committed(home: Path) -> list[str]:
    """Return the keys of the committed engines under a home; a folder without a manifest is none."""
    found = (home / "plans").glob(f"*/*/{MANIFEST_FILE}")
    return sorted(str(path.parent.relative_to(home / "plans")) for path in found)


def engines(home: Path) -> list[Engine]:
    """Return the manifests of the committed engines under a home.

    Raises:
        EngineDamaged: one is not as it was written.
    """
    found = (read_manifest(plan_folder(home, key), key) for key in committed(home))
    return [engine for engine in found if engine is not None]


def newest(found: Sequence[Engine], identities: Mapping[str, str], target: Target) -> list[str]:
    """Choose the engines to be served on a node.

    Args:
        found: to choose from.
        identities: served model -> identity.
        target: the node.

    Returns:
        For each model, the key of the newest engine of its identity that was built for the node.

    Raises:
        EngineMissing: a model has none.
        WrongTarget: there is one, but for another node.
    """
    return [_newest(found, model, identity, target) for model, identity in identities.items()]


def verify(home: Path, key: str, target: Target | None = None) -> Engine:
    """Check one engine, and return its manifest.

    Args:
        home: the folder of engines.
        key: the engine's key.
        target: the node that is to serve it; None checks the files alone.

    Raises:
        EngineMissing: it is not committed, or this is no key.
        EngineDamaged: its plan or manifest is not what was committed.
        WrongTarget: it was built for another TensorRT, another image or another compute capability.
        AccuracyLost: its manifest admits to a limit that does not hold.
    """
    if not KEY.match(key):
        raise EngineMissing(f"{key!r} is no key; `pellicule engines plan` prints them", field=key)
    engine = read_manifest(plan_folder(home, key), key)
    if engine is None:
        raise EngineMissing(f"{key} is not committed under {home}; build or fetch it", field=key)
    _check_plan(engine, plan_folder(home, key) / PLAN_FILE)
    if target is not None:
        _check_target(engine, target)
    return engine


def install(
    repository: Path, home: Path, key: str, node: Target, shapes: Mapping[str, Sequence[int]] = _AS_SHIPPED
) -> Path:
    """Put one engine in place, whole or not at all.

    Args:
        repository: the model repository, made when it is missing; models that are there keep what else they have.
        home: the folder of engines.
        key: the engine's key.
        node: what the server runs on.
        shapes: output -> its sizes without the batch, where an operator's model has others than the shipped one.

    Returns:
        Where the plan lies.

    Raises:
        EngineError: as `verify` does.
    """
    engine = verify(home, key, node)
    folder = repository / engine.parts.model
    plan = folder / "1" / PLAN_FILE
    plan.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(SHIPPED / engine.parts.model / CONFIG_FILE, folder / CONFIG_FILE)
    configure(folder, engine.identity, shapes, {PRECISION_PARAMETER: engine.parts.precision})
    link(plan_folder(home, key) / PLAN_FILE, plan)
    return plan


def _newest(found: Sequence[Engine], model: str, identity: str, target: Target) -> str:
    known = [engine for engine in found if (engine.parts.model, engine.identity) == (model, identity)]
    if not known:
        raise EngineMissing(f"no engine of {identity} for {target} is there; build or fetch it", field=identity)
    last = max(known, key=lambda engine: (engine.parts.target == target, engine.build_time))
    _check_target(last, target)
    return last.key


def _check_plan(engine: Engine, path: Path) -> None:
    size = path.stat().st_size if path.exists() else 0
    anew = "delete its folder, then build or fetch it anew"
    if size != engine.plan.size_bytes:
        raise EngineDamaged(f"{path} has {size} of {engine.plan.size_bytes} bytes; {anew}", field=engine.key)
    if file_digest(path) != engine.plan.sha256:
        raise EngineDamaged(f"{path} was changed after it was built; {anew}", field=engine.key)
    lost = next((delta for delta in engine.accuracy if not delta.holds), None)
    if lost:
        raise AccuracyLost(f"{engine.key}: {lost.output} is off by {lost.value:.4g}; build anew", field=engine.key)


def _check_target(engine: Engine, node: Target) -> None:
    built, names = dict(engine.parts.target), {"tensorrt": "TensorRT", "sm": "SM", "triton_tag": "the serving image"}
    wrong = [
        f"{what} is {here} here and {built[part]} in the plan"
        for part, what in names.items()
        if (here := getattr(node, part)) != built[part]
    ]
    if wrong:
        raise WrongTarget(
            f"{engine.key} cannot be served by this node: {'; '.join(wrong)}. Build it on this node with its own "
            "serving image (`pellicule engines build`), or fetch the engine of this node's key",
            field=engine.key,
        )
