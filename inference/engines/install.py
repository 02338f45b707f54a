"""Engines in a model repository, where the server finds them as `<model>/1/model.plan`."""

import shutil
from pathlib import Path

from inference.engines.committed import plan_folder, verify
from inference.engines.manifest import PLAN_FILE
from inference.engines.targets import Target
from inference.folders import link
from inference.repository import SHIPPED, configure


def install(repository: Path, home: Path, key: str, node: Target) -> Path:
    """Put one engine in place, whole or not at all.

    Args:
        repository: the model repository, made when it is missing; models that are there keep what else they have.
        home: the folder of engines.
        key: the engine's key.
        node: what the server runs on.

    Returns:
        Where the plan lies.

    Raises:
        EngineMissing: it is not committed under the home.
        EngineDamaged: it is not what was committed.
        WrongTarget: it was built for another TensorRT, another image or another compute capability.
    """
    engine = verify(home, key, node)
    folder = repository / engine.parts.model
    if not (folder / "config.pbtxt").exists():
        shutil.copytree(SHIPPED / engine.parts.model, folder, dirs_exist_ok=True)
    configure(folder, engine.identity, {})
    plan = folder / "1" / PLAN_FILE
    plan.parent.mkdir(exist_ok=True)
    link(plan_folder(home, key) / PLAN_FILE, plan)
    return plan
