"""Checks of committed engines: is one what it was, and is it for this node."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from inference.engines.errors import AccuracyLost, EngineDamaged, EngineMissing, WrongTarget
from inference.engines.key import KEY
from inference.engines.manifest import PLAN_FILE, Engine, read_manifest
from inference.engines.targets import Target
from inference.folders import file_digest


def committed(home: Path) -> list[str]:
    """Return the keys of the committed engines under a home; a folder without a manifest is none."""
    found = (home / "plans").glob("*/*/manifest.json")
    return sorted(str(path.parent.relative_to(home / "plans")) for path in found)


def newest(home: Path, identities: Mapping[str, str], target: Target) -> list[str]:
    """Choose the engines to be served on a node: served model -> identity in, their keys out.

    Raises:
        EngineMissing: a model has none.
        WrongTarget: there is one, but for another node.
        EngineDamaged: a manifest is not as it was written.
    """
    found = [engine for key in committed(home) if (engine := read_manifest(home / "plans" / key)) is not None]
    return [
        choose([each for each in found if each.parts.model == model], identity, target)
        for model, identity in identities.items()
    ]


def choose(found: Sequence[Engine], identity: str, target: Target) -> str:
    """Choose among the engines of a model: return the key of the newest of an identity that was built for a target.

    Raises:
        EngineMissing: there is none of that identity.
        WrongTarget: there is, but for another node.
    """
    known = sorted((each for each in found if each.identity == identity), key=lambda engine: engine.build_time)
    if not known:
        raise EngineMissing(f"no engine of {identity} for {target} is there; build or fetch it", field=identity)
    fitting = [each for each in known if each.parts.target == target]
    if not fitting:
        check_target(known[-1], target)
    return fitting[-1].key


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
    """Compare a plan with its manifest.

    Raises:
        EngineDamaged: the plan is missing, cut short or changed.
        AccuracyLost: a limit does not hold.
    """
    path = folder / PLAN_FILE
    size = path.stat().st_size if path.exists() else 0
    anew = "delete its folder, then build or fetch it anew"
    if size != engine.plan.size_bytes:
        raise EngineDamaged(f"{path} has {size} of {engine.plan.size_bytes} bytes; {anew}", field=engine.key)
    if file_digest(path) != engine.plan.sha256:
        raise EngineDamaged(f"{path} was changed after it was built; {anew}", field=engine.key)
    for delta in engine.accuracy:
        if not delta.holds:
            raise AccuracyLost(
                f"{engine.key}: {delta.output} is off by {delta.value:.4g}; build anew", field=engine.key
            )


def check_target(engine: Engine, node: Target) -> None:
    """Refuse a plan that was not built for a node.

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
