"""Says whether a committed engine is what it was, and whether it is for this node."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from inference.engines.errors import AccuracyLost, EngineDamaged, EngineMissing, WrongTarget
from inference.engines.folders import file_digest
from inference.engines.key import KEY
from inference.engines.manifest import PLAN_FILE, Engine, read_manifest
from inference.engines.targets import Target


def committed(home: Path) -> list[str]:
    """Lists the keys of the committed engines under a home; a folder without a manifest is none."""
    found = (home / "plans").glob("*/*/manifest.json")
    return sorted(str(path.parent.relative_to(home / "plans")) for path in found)


def newest(home: Path, identities: Mapping[str, str], target: Target) -> list[str]:
    """Picks the engines to be served: of each model, the newest of its identity that was built for the target.

    Args:
        home: the folder of engines.
        identities: served model -> identity.
        target: the node.

    Raises:
        EngineMissing: a model has none.
        EngineDamaged: a manifest is not as it was written.
    """
    found = [engine for key in committed(home) if (engine := read_manifest(home / "plans" / key)) is not None]
    return [_newest(found, model, identity, target) for model, identity in identities.items()]


def _newest(found: Sequence[Engine], model: str, identity: str, target: Target) -> str:
    fitting = [each for each in found if each.parts.model == model and each.identity == identity]
    fitting = [each for each in fitting if each.parts.target == target]
    if not fitting:
        raise EngineMissing(f"no engine of {identity} for {target} is here; build or fetch it", field=model)
    return max(fitting, key=lambda engine: engine.build_time).key


def verify(home: Path, key: str, target: Target | None = None) -> Engine:
    """Checks one engine.

    Args:
        home: the folder of engines.
        key: the engine's key.
        target: the node that is to serve it; None checks the files alone.

    Returns:
        Its manifest.

    Raises:
        EngineMissing: it is not committed, or this is no key.
        EngineDamaged: its plan or manifest is not what was committed.
        WrongTarget: it was built for another TensorRT, another image or another compute capability.
        AccuracyLost: its manifest admits to a limit that does not hold.
    """
    if not KEY.match(key):
        raise EngineMissing(f"{key!r} is no key; `pellicule engines plan` prints them", field=key)
    folder = home / "plans" / key
    engine = read_manifest(folder)
    if engine is None:
        raise EngineMissing(f"{key} is not committed under {home}; build or fetch it", field=key)
    if engine.key != key:
        raise EngineDamaged(f"{folder} holds {engine.key}; delete it, then build or fetch it anew", field=key)
    check_engine(engine, folder)
    if target is not None:
        check_target(engine, target)
    return engine


def check_engine(engine: Engine, folder: Path) -> None:
    """Compares a plan with its manifest.

    Raises:
        EngineDamaged: the plan is missing, cut short or changed.
        AccuracyLost: a limit does not hold.
    """
    path = folder / PLAN_FILE
    if not path.exists() or path.stat().st_size != engine.plan.size_bytes:
        size = path.stat().st_size if path.exists() else 0
        raise EngineDamaged(
            f"{path} has {size} of {engine.plan.size_bytes} bytes; delete its folder, then build or fetch it anew",
            field=engine.key,
        )
    if file_digest(path) != engine.plan.sha256:
        raise EngineDamaged(
            f"{path} was changed after it was built; delete its folder, then build or fetch it anew", field=engine.key
        )
    for delta in engine.accuracy:
        if not delta.holds:
            raise AccuracyLost(
                f"{engine.key}: {delta.output} is off by {delta.value:.4g}; build anew", field=engine.key
            )


def check_target(engine: Engine, node: Target) -> None:
    """Refuses a plan that was not built for a node.

    Raises:
        WrongTarget: says which part differs, and what to do.
    """
    built = engine.parts.target
    pairs = (
        ("TensorRT", built.tensorrt, node.tensorrt),
        ("SM", str(built.sm), str(node.sm)),
        ("the serving image", built.triton_tag, node.triton_tag),
    )
    wrong = [f"{what} is {here} here and {there} in the plan" for what, there, here in pairs if here != there]
    if wrong:
        raise WrongTarget(
            f"{engine.key} cannot be served by this node: {'; '.join(wrong)}. Build it on this node with its own "
            "serving image (`pellicule engines build`), or fetch the engine of this node's key",
            field=engine.key,
        )
