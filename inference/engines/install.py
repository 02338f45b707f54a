"""Puts engines into a model repository, where the server finds them as `<model>/1/model.plan`."""

import shutil
from pathlib import Path
from typing import Final

from inference.engines.manifest import PLAN_FILE
from inference.engines.targets import Target
from inference.engines.verify import verify
from inference.folders import link
from inference.repository import SHIPPED, configure

_VERSION: Final = "1"


def install(repository: Path, home: Path, key: str, node: Target) -> Path:
    """Puts one engine in place, whole or not at all; models that are there already keep what else they have.

    Args:
        repository: the model repository, made when it is missing.
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
    plan = folder / _VERSION / PLAN_FILE
    plan.parent.mkdir(exist_ok=True)
    link(home / "plans" / key / PLAN_FILE, plan)
    return plan
