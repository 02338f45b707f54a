"""Assembles the model repository that the inference server reads, out of the shipped folders and the built models.

The shipped half (`model_repository/`) holds configurations and one `onnx_model.py` for all models; the built half
(`models build`) holds the networks. What is assembled can be thrown away and made again at any time.
"""

import shutil
from pathlib import Path
from typing import Final

from inference.models.build import BuiltModel, list_models
from inference.models.manifest import shipped_model
from inference.restyling.assembly import NAME as RESTYLER
from inference.restyling.assembly import FlowRestylerFiles, assemble_restyler

SHIPPED: Final = Path(__file__).parent / "model_repository"
CONFIG_NAME: Final = "cpu"  # for the server's --model-config-name
_VERSION: Final = "1"


def assemble_repository(target: Path, home: Path) -> tuple[str, ...]:
    """Makes a complete model repository for a server without a GPU.

    Args:
        target: the folder to fill; an earlier assembly there is replaced.
        home: the folder of built models.

    Returns:
        The names of the models, to be loaded and awaited.

    Raises:
        ModelNotBuilt: a model is missing under `home`; nothing was changed at the target.
    """
    models = list_models(home)
    target.mkdir(parents=True, exist_ok=True)
    for model in models:
        _assemble(target / model.name, model)
    return tuple(model.name for model in models)


def _assemble(folder: Path, model: BuiltModel) -> None:
    if model.name == RESTYLER:
        assemble_restyler(folder, FlowRestylerFiles(model.path, shipped_model(RESTYLER).manifest.styles))
    else:
        _assemble_network(folder, model)
    for config in (folder / "config.pbtxt", *folder.glob("configs/*.pbtxt")):
        _stamp(config, model.identity)


def _assemble_network(folder: Path, model: BuiltModel) -> None:
    """Makes the folder of a model that is served as it is: each request is one run."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SHIPPED / model.name, folder)
    version = folder / _VERSION
    version.mkdir()
    shutil.copyfile(SHIPPED / "onnx_model.py", version / "model.py")
    _link(model.path, version / "model.onnx")


def _stamp(config: Path, identity: str) -> None:
    """Writes into a configuration whose answers it gives: findings carry the name."""
    with config.open("a", encoding="utf-8") as stream:
        stream.write(f'parameters {{ key: "identity" value {{ string_value: "{identity}" }} }}\n')


def _link(source: Path, target: Path) -> None:
    """Links the file where both lie on one file system, and copies it where they do not."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)
