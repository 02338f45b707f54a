"""Assembly of the served restyler: its configurations, its code, what it samples with, and the graphs.

The same code serves one flow network and the four graphs of a latent diffusion model; which of them fills the slot is
written into the configuration, with the names of the styles, where callers read them.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from inference.model_build.errors import ModelError
from inference.restyling.diffusion.errors import RestylerMisconfigured
from inference.restyling.diffusion.flow import GRAPH
from inference.restyling.diffusion.latent import GRAPHS
from inference.restyling.diffusion.latent_settings import SETTINGS_FILE, read_settings
from inference.restyling.diffusion.opening import FLOW, LATENT

NAME: Final = "restyler"
SAMPLING: Final = Path(__file__).parent / "diffusion"
_SHIPPED: Final = Path(__file__).parents[1] / "model_repository" / NAME
_CODE: Final = "model.py"
_VERSION: Final = "1"


class RestylerFilesUnusable(ModelError):
    """What shall fill the slot lacks a file, or says what cannot be."""

    reason = "RESTYLER_MISCONFIGURED"


@dataclass(frozen=True)
class FlowRestylerFiles:
    """One flow network.

    Attributes:
        velocity: its ONNX file.
        styles: the names of the styles, by index.
    """

    velocity: Path
    styles: tuple[str, ...]


@dataclass(frozen=True)
class LatentRestylerFiles:
    """A latent diffusion model.

    Attributes:
        folder: holds `text_encoder.onnx`, `vae_encoder.onnx`, `unet.onnx`, `vae_decoder.onnx` and `latent.json`, and
            the files of weights that the graphs name, if any.
    """

    folder: Path


@dataclass(frozen=True)
class ServedFlowRestyler:
    """One flow network that is served as a model of its own, `restyler_velocity`: on a GPU, by its plan.

    Attributes:
        styles: the names of the styles, by index.
    """

    styles: tuple[str, ...]


RestylerFiles: TypeAlias = FlowRestylerFiles | LatentRestylerFiles
"""What is run in the served model's own process."""


def assemble_restyler(folder: Path, files: RestylerFiles | ServedFlowRestyler) -> None:
    """Make the model folder `restyler` of a model repository.

    Args:
        folder: the folder to make; an earlier one there is replaced.
        files: what fills the slot.

    Raises:
        RestylerFilesUnusable: a file is missing, no styles are named, or the settings of a latent model cannot be;
            nothing was changed.
    """
    try:
        family, styles, sources = _contents(files)
    except RestylerMisconfigured as error:
        raise RestylerFilesUnusable(str(error), field=error.field) from error
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_SHIPPED, folder, ignore=shutil.ignore_patterns(_CODE))
    version = folder / _VERSION
    version.mkdir()
    shutil.copyfile(_SHIPPED / _CODE, version / _CODE)
    shutil.copytree(SAMPLING, version / SAMPLING.name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, source in sources.items():
        place(source, version / name)
    if isinstance(files, ServedFlowRestyler):
        shutil.rmtree(folder / "configs")  # what runs without a GPU opens the network itself, and it is not here
    for config in (folder / "config.pbtxt", *folder.glob("configs/*.pbtxt")):
        _add_parameters(config, {"family": family, "styles": ",".join(styles)})
    if family == LATENT:
        _keep_in_process(folder / "config.pbtxt")


def place(source: Path, target: Path) -> None:
    """Links a file where both lie on one file system, and copies it where they do not."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _contents(files: RestylerFiles | ServedFlowRestyler) -> tuple[str, tuple[str, ...], dict[str, Path]]:
    if isinstance(files, LatentRestylerFiles):
        return _latent_contents(files)
    if not files.styles:
        raise RestylerMisconfigured("it names no styles; list them by index", field="styles")
    own = {} if isinstance(files, ServedFlowRestyler) else {f"{GRAPH}.onnx": _present(files.velocity)}
    return FLOW, files.styles, own


def _latent_contents(files: LatentRestylerFiles) -> tuple[str, tuple[str, ...], dict[str, Path]]:
    settings = read_settings(files.folder / SETTINGS_FILE)
    for graph in GRAPHS:
        _present(files.folder / f"{graph}.onnx")
    # All files: weights of more than 2 GB lie beside their graph under names that only the graph knows.
    sources = {path.name: path for path in files.folder.iterdir() if path.is_file()}
    return LATENT, settings.styles, sources


def _present(path: Path) -> Path:
    if not path.is_file():
        raise RestylerMisconfigured(f"{path}: missing; the slot needs it", field=path.name)
    return path


def _add_parameters(config: Path, parameters: dict[str, str]) -> None:
    lines = (
        f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}\n' for key, value in parameters.items()
    )
    config.write_text(config.read_text("utf-8") + "".join(lines), "utf-8")


def _keep_in_process(config: Path) -> None:
    """Lets the four graphs run in the model's own process on a GPU too: plans are built for the flow network alone."""
    text = config.read_text("utf-8")
    config.write_text(text.replace('string_value: "models"', 'string_value: "sessions"'), "utf-8")
