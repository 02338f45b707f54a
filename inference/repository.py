"""Assembles the model repository that the inference server reads, out of the shipped folders and the built models.

The shipped half (`model_repository/`) holds configurations and one `onnx_model.py` for all models; the built half
(`models build`) holds the networks, or an operator's models in their slots (`models use`). What is assembled can be
thrown away and made again at any time.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from inference.folders import link
from inference.model_build.build import BuiltModel, built_model, list_models
from inference.model_build.manifest import FOLDER, shipped_model
from inference.model_build.notice import NOTICE_FILE
from inference.restyling.assembly import NAME as RESTYLER
from inference.restyling.assembly import FlowRestylerFiles, assemble_restyler
from inference.slots.candidate import restyler_files
from inference.slots.contracts import SlotName
from inference.slots.filling import Filling, fillings, served_name
from inference.slots.recorded import GOLDEN_FILE

SHIPPED: Final = Path(__file__).parent / "model_repository"
CONFIG_FILE: Final = "config.pbtxt"  # of a server with a GPU
CONFIG_NAME: Final = "cpu"  # for the --model-config-name of one without
_VERSION: Final = "1"
_NONE: Final[Mapping[str, str]] = {}


def assemble_repository(target: Path, home: Path) -> tuple[str, ...]:
    """Make a complete model repository for a server without a GPU.

    Args:
        target: the folder to fill; an earlier assembly there is replaced.
        home: the folder of built models.

    Returns:
        The names of the models, to be loaded and awaited.

    Raises:
        ModelNotBuilt: a model is missing under `home`; nothing was changed at the target.
        FillingBroken: what an operator has put into a slot is damaged; likewise.
    """
    filled = {served_name(slot): filling for slot, filling in fillings(home).items()}
    models = {model.name: model for model in list_models(home)}
    target.mkdir(parents=True, exist_ok=True)
    for name in models.keys() | filled.keys():
        if name in filled:
            _assemble_filling(target / name, filled[name])
        else:
            _assemble(target / name, models[name])
    add_notice(target)
    return tuple(sorted(models.keys() | filled.keys()))


def network_of(home: Path, name: str) -> tuple[str, Path]:
    """Find the identity and the ONNX file of a model that is served as it is.

    Args:
        home: the folder of built models.
        name: the model's, as it is served.

    Raises:
        ModelNotBuilt: it is missing under `home`.
        ManifestInvalid: there is no such model.
        FillingBroken: what an operator has put into its slot is damaged.
    """
    for slot, filling in fillings(home).items():
        if served_name(slot) == name:
            return filling.identity, filling.folder / f"{filling.contract.graphs[0].name}.onnx"
    built = built_model(home, name)
    return built.identity, built.path


def _assemble(folder: Path, model: BuiltModel) -> None:
    if model.name == RESTYLER:
        assemble_restyler(folder, FlowRestylerFiles(model.path, shipped_model(RESTYLER).manifest.styles))
    else:
        _assemble_network(folder, model.path)
    configure(folder, model.identity, {})


def _assemble_filling(folder: Path, filling: Filling) -> None:
    """Make the folder of an operator's model, with its own lengths, and with the answers that it is known by."""
    contract = filling.contract
    if contract.slot == SlotName.RESTYLER:
        assemble_restyler(folder, restyler_files(contract, filling.folder, filling.styles))
    else:
        _assemble_network(folder, filling.folder / f"{contract.graphs[0].name}.onnx")
        shutil.copyfile(filling.folder / GOLDEN_FILE, folder / GOLDEN_FILE)
    configure(folder, filling.identity, filling.shapes)


def _assemble_network(folder: Path, network: Path) -> None:
    """Make the folder of a model that is served as it is: each request is one run."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SHIPPED / folder.name, folder)
    version = folder / _VERSION
    version.mkdir()
    shutil.copyfile(SHIPPED / "onnx_model.py", version / "model.py")
    link(network, version / "model.onnx")


def add_notice(target: Path) -> None:
    """Put the notice beside the models: it goes with the weights wherever they go."""
    shutil.copyfile(FOLDER / NOTICE_FILE, target / NOTICE_FILE)


def configure(
    folder: Path, identity: str, shapes: Mapping[str, Sequence[int]], parameters: Mapping[str, str] = _NONE
) -> None:
    """Write into a model's configurations whose answers it gives, which findings carry, and how long they are.

    Args:
        folder: the model's folder in an assembled repository.
        identity: the model's name and version.
        shapes: output -> its sizes without the batch, where they are not those of the shipped configuration.
        parameters: what callers are told besides.
    """
    for path in (folder / CONFIG_FILE, *folder.glob("configs/*.pbtxt")):
        config = text_format.Parse(path.read_text("utf-8"), model_config_pb2.ModelConfig())
        for name, value in {"identity": identity, **parameters}.items():
            config.parameters[name].string_value = value
        for output in config.output:
            if output.name in shapes:
                output.dims[:] = shapes[output.name]
        path.write_text(text_format.MessageToString(config), "utf-8")
