"""Model repository of a GPU node: a plan for each network, and what runs beside the plans.

It serves what a server without a GPU serves, under the same names and with the same tensors, and besides the network
of the restyler as a model of its own, `restyler_velocity`. The restyler itself is the same code on both: on a GPU its
steps run in the Python back end and call that model. A restyler of four graphs has no plans; all of it runs in its
own process, by ONNX Runtime, which the serving image has to hold then.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from inference.engines.committed import engines, install, newest, verify
from inference.engines.profiles import served_models
from inference.engines.targets import Target
from inference.model_build.manifest import identities, shipped_model
from inference.repository import add_notice, configure
from inference.restyling.assembly import NAME as RESTYLER
from inference.restyling.assembly import LatentRestylerFiles, ServedFlowRestyler, assemble_restyler
from inference.slots.contracts import LATENT
from inference.slots.filling import Filling, fillings, served_name
from inference.slots.recorded import GOLDEN_FILE
from inference.slots.serving import served_identities

VELOCITY: Final = "restyler_velocity"


def planned_models(models: Path, names: Sequence[str] = ()) -> Mapping[str, str]:
    """Return served model -> the model that its plan's graph is from.

    Args:
        models: the folder of built models.
        names: the served models; all that have a plan when it is empty.

    Raises:
        ProfileInvalid: one of them has no profile.
        FillingBroken: what an operator has put into a slot is damaged.
    """
    latent = {served_name(slot) for slot, filling in fillings(models).items() if filling.kind == LATENT}
    return {
        served: source for served, source in served_models(names).items() if served in names or source not in latent
    }


def planned_identities(models: Path) -> dict[str, str]:
    """Return served model -> identity, of all that have a plan.

    Raises:
        FillingBroken: what an operator has put into a slot is damaged.
    """
    known = served_identities(models, identities())
    return {served: known[source] for served, source in planned_models(models).items()}


def assemble_gpu_repository(target: Path, models: Path, home: Path, node: Target) -> tuple[str, ...]:
    """Make a complete model repository for a server with a GPU.

    Args:
        target: the folder to fill; models that an earlier assembly left there are replaced.
        models: the folder of built models, for what operators have put into slots; it may be empty.
        home: the folder of engines.
        node: what the server runs on.

    Returns:
        The names of the models, to be loaded and awaited.

    Raises:
        EngineError: a plan is missing, damaged, or another node's; nothing was changed at the target.
        FillingBroken: what an operator has put into a slot is damaged; likewise.
    """
    filled = {served_name(slot): filling for slot, filling in fillings(models).items()}
    plans = [verify(home, key, node) for key in newest(engines(home), planned_identities(models), node)]
    for engine in plans:
        _assemble_plan(target, home, engine.key, node, filled.get(engine.parts.model))
    _assemble_restyler(target / RESTYLER, filled.get(RESTYLER))
    add_notice(target)
    return tuple(sorted({RESTYLER, *(engine.parts.model for engine in plans)}))


def _assemble_plan(target: Path, home: Path, key: str, node: Target, filling: Filling | None) -> None:
    """Make the folder of one plan; an operator's model has lengths of its own, and answers that it is known by."""
    folder = target / key.partition("/")[0]
    shutil.rmtree(folder, ignore_errors=True)
    install(target, home, key, node, filling.shapes if filling else {})
    if filling is not None:
        shutil.copyfile(filling.folder / GOLDEN_FILE, folder / GOLDEN_FILE)


def _assemble_restyler(folder: Path, filling: Filling | None) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    assemble_restyler(folder, _restyler_files(filling))
    configure(folder, filling.identity if filling else shipped_model(RESTYLER).manifest.identity, {})


def _restyler_files(filling: Filling | None) -> LatentRestylerFiles | ServedFlowRestyler:
    if filling is None:
        return ServedFlowRestyler(shipped_model(RESTYLER).manifest.styles)
    if filling.kind == LATENT:
        return LatentRestylerFiles(filling.folder)
    return ServedFlowRestyler(filling.styles)
